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
    /// Other attributes of an object that stays.
    Change,
    Delete,
}

impl Stage {
    /// What its documentation calls it; `None` if there is no such call.
    pub(crate) fn operation(self, kind: StoreKind) -> Option<&'static str> {
        Some(match kind {
            StoreKind::S3 => match self {
                Self::Look => "HeadObject",
                Self::Put => "PutObject",
                Self::Begin => "CreateMultipartUpload",
                Self::Part => "UploadPart",
                Self::Complete => "CompleteMultipartUpload",
                Self::Get => "GetObject",
                Self::List => "ListObjectsV2",
                Self::Copy | Self::Change => "CopyObject",
                Self::Delete => "DeleteObject",
            },
            StoreKind::Gcs => match self {
                Self::Look => "objects.get",
                Self::Put => "objects.insert",
                Self::Begin => "upload.start",
                Self::Part => "upload.chunk",
                // The last part is the end.
                Self::Complete => return None,
                Self::Get => "objects.get media",
                Self::List => "objects.list",
                Self::Copy => "objects.rewrite",
                Self::Change => "objects.patch",
                Self::Delete => "objects.delete",
            },
            StoreKind::Azure => match self {
                Self::Look => "Get Blob Properties",
                Self::Put => "Put Blob",
                // The first part is the beginning.
                Self::Begin => return None,
                Self::Part => "Put Block",
                Self::Complete => "Put Block List",
                Self::Get => "Get Blob",
                Self::List => "List Blobs",
                Self::Copy => "Copy Blob",
                Self::Change => "Set Blob Metadata",
                Self::Delete => "Delete Blob",
            },
        })
    }
}

/// Whether a call that failed once can be made again at the emulator of a store, as at the store itself.
pub(crate) fn is_made_again(kind: StoreKind, stage: Stage) -> bool {
    // Asked how far an upload has come of which it has nothing, gcp-storage-emulator says that it has a byte.
    !(kind == StoreKind::Gcs && stage == Stage::Part)
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

    /// Whether a call may work in spite of it: many a call has no body, and what was done can be looked at.
    pub(crate) fn may_be_harmless(self) -> bool {
        match self {
            Self::CutInBody | Self::HalfAnAnswer | Self::LostAnswer => true,
            Self::Cut | Self::Failure | Self::SlowDown => false,
        }
    }

    /// Whether the store has done what the server is not told of.
    pub(crate) fn loses_the_answer(self) -> bool {
        match self {
            Self::LostAnswer | Self::HalfAnAnswer => true,
            Self::Cut | Self::CutInBody | Self::Failure | Self::SlowDown => false,
        }
    }

    /// At the first of these calls, or at all of them.
    pub(crate) fn rule(self, kind: StoreKind, operation: &str, for_ever: bool) -> Rule {
        let rule = Rule::new(self.action(kind)).on(operation);
        if for_ever { rule } else { rule.times(1) }
    }
}

fn failure(kind: StoreKind) -> Answer {
    match kind {
        StoreKind::S3 => Answer::s3(500, "InternalError"),
        StoreKind::Gcs => Answer::gcs(500, "backendError"),
        StoreKind::Azure => Answer::azure(500, "InternalError"),
    }
}

fn slow_down(kind: StoreKind) -> Answer {
    match kind {
        StoreKind::S3 => Answer::slow_down(),
        StoreKind::Gcs => Answer::gcs(503, "rateLimitExceeded"),
        StoreKind::Azure => Answer::azure(503, "ServerBusy"),
    }
}
