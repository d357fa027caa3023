//! What can go wrong, and where: in the words of each store.

use sftpgo_testkit::StoreKind;
use sftpgo_teststore::{Action, Answer, Rule};

/// A call to a store that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What is at a key.
    Look,
    /// A whole object.
    Put,
    /// The beginning of an object in parts.
    Begin,
    Part,
    Complete,
    Get,
    List,
    Copy,
    Delete,
}

impl Stage {
    /// What its documentation calls it.
    fn operation(self, kind: StoreKind) -> &'static str {
        match kind {
            StoreKind::S3 => match self {
                Self::Look => "HeadObject",
                Self::Put => "PutObject",
                Self::Begin => "CreateMultipartUpload",
                Self::Part => "UploadPart",
                Self::Complete => "CompleteMultipartUpload",
                Self::Get => "GetObject",
                Self::List => "ListObjectsV2",
                Self::Copy => "CopyObject",
                Self::Delete => "DeleteObject",
            },
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before the store has heard of it.
    Cut,
    /// The connection ends in the body, if there is one.
    CutInBody,
    /// 500.
    Failure,
    /// 503.
    SlowDown,
    /// The store does it, and the answer gets lost.
    LostAnswer,
    /// The answer ends in the middle of its body, if it has one.
    HalfAnAnswer,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] = [
        Self::Cut,
        Self::CutInBody,
        Self::Failure,
        Self::SlowDown,
        Self::LostAnswer,
        Self::HalfAnAnswer,
    ];

    fn action(self, kind: StoreKind) -> Action {
        match self {
            Self::Cut => Action::Cut,
            Self::CutInBody => Action::CutUpload(1000),
            Self::Failure => Action::Answer(failure(kind)),
            Self::SlowDown => Action::Answer(slow_down(kind)),
            Self::LostAnswer => Action::LoseAnswer,
            Self::HalfAnAnswer => Action::Truncate(20),
        }
    }

    /// Whether a call may work in spite of it: it is about a body, and many a call has none.
    pub(crate) fn may_be_harmless(self) -> bool {
        match self {
            Self::CutInBody | Self::HalfAnAnswer => true,
            Self::Cut | Self::Failure | Self::SlowDown | Self::LostAnswer => false,
        }
    }

    /// Whether the store has done what the server is not told of.
    pub(crate) fn loses_the_answer(self) -> bool {
        match self {
            Self::LostAnswer | Self::HalfAnAnswer => true,
            Self::Cut | Self::CutInBody | Self::Failure | Self::SlowDown => false,
        }
    }

    /// At a stage: for the first call, or for all of them.
    pub(crate) fn rule(self, kind: StoreKind, stage: Stage, for_ever: bool) -> Rule {
        let rule = Rule::new(self.action(kind)).on(stage.operation(kind));
        if for_ever { rule } else { rule.times(1) }
    }
}

fn failure(kind: StoreKind) -> Answer {
    match kind {
        StoreKind::S3 => Answer::s3(500, "InternalError"),
    }
}

fn slow_down(kind: StoreKind) -> Answer {
    match kind {
        StoreKind::S3 => Answer::slow_down(),
    }
}
