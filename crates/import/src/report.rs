//! What an import found, and what of it cannot be carried over.

use sftpgo_model::UserRecord;
use thiserror::Error;

/// What becomes of a thing that a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It is said in another way here.
    Changed,
    /// It is not carried over; the user can log in.
    NotCarried,
    /// It is not carried over, and the user is imported disabled, because it decided who may log in or what they may do.
    Disabled,
}

impl Effect {
    /// What people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NotCarried => "not carried over",
            Self::Disabled => "disabled",
        }
    }

    /// What programs read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NotCarried => "not_carried",
            Self::Disabled => "disabled",
        }
    }
}

/// One thing that is not as it was. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What becomes of it.
    pub effect: Effect,
    /// What it is about: a name of the source, such as `shell` or `filters.access_time`.
    pub about: String,
    /// What was found, and what to do about it.
    pub text: String,
}

/// A user of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name, or where it stands if that is not known.
    pub name: String,
    /// The record, not validated; or why there is none.
    pub user: Result<UserRecord, String>,
    /// What is not as it was.
    pub notes: Vec<Note>,
}

impl Found {
    /// One that cannot be imported.
    pub(crate) fn refused(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            user: Err(reason.into()),
            notes: Vec::new(),
        }
    }
}

/// All that a source has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// The users, in the order of the source.
    pub users: Vec<Found>,
    /// About the source as a whole: what it has beside users.
    pub notes: Vec<Note>,
}

/// Why a file is not what it should be: a sentence for the administrator, without values of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ImportError(String);

impl ImportError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Collects notes.
#[derive(Debug, Default)]
pub(crate) struct Notes(pub(crate) Vec<Note>);

impl Notes {
    pub(crate) fn add(
        &mut self,
        effect: Effect,
        about: impl Into<String>,
        text: impl Into<String>,
    ) {
        self.0.push(Note {
            effect,
            about: about.into(),
            text: text.into(),
        });
    }

    pub(crate) fn changed(&mut self, about: impl Into<String>, text: impl Into<String>) {
        self.add(Effect::Changed, about, text);
    }

    pub(crate) fn lost(&mut self, about: impl Into<String>, text: impl Into<String>) {
        self.add(Effect::NotCarried, about, text);
    }

    /// For what must not be dropped while the user can log in.
    pub(crate) fn disabled(&mut self, about: impl Into<String>, text: impl Into<String>) {
        self.add(Effect::Disabled, about, text);
    }

    /// The user with its notes; disabled if one of them says so.
    pub(crate) fn found(self, mut user: UserRecord) -> Found {
        if self.0.iter().any(|note| note.effect == Effect::Disabled) {
            user.status = 0;
        }
        Found {
            name: user.username.clone(),
            user: Ok(user),
            notes: self.0,
        }
    }
}
