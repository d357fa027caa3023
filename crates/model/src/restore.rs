//! How a dump is restored (reference 5.7). Commands, the REST API and the web admin know each choice by the same digit.

/// What becomes of an account that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OfExisting {
    /// It becomes what the dump says, but for id, used quota and last login.
    #[default]
    Replaced,
    /// It stays as it is.
    Kept,
}

impl OfExisting {
    /// Its digit.
    pub fn digit(self) -> &'static str {
        match self {
            Self::Replaced => "0",
            Self::Kept => "1",
        }
    }

    /// The choice with this digit.
    pub fn from_digit(digit: &str) -> Option<Self> {
        let all = [Self::Replaced, Self::Kept];
        all.into_iter().find(|choice| choice.digit() == digit)
    }
}

/// Whose files are counted afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanAfter {
    /// Nobody's.
    #[default]
    Nobody,
    /// Those of every account that was restored.
    Everybody,
    /// Those of every account that was restored and has a limit.
    Limited,
}

impl ScanAfter {
    /// Its digit.
    pub fn digit(self) -> &'static str {
        match self {
            Self::Nobody => "0",
            Self::Everybody => "1",
            Self::Limited => "2",
        }
    }

    /// The choice with this digit.
    pub fn from_digit(digit: &str) -> Option<Self> {
        let all = [Self::Nobody, Self::Everybody, Self::Limited];
        all.into_iter().find(|choice| choice.digit() == digit)
    }
}

/// How to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestoreOptions {
    /// Accounts that are there already.
    pub existing: OfExisting,
    /// Quotas.
    pub scan: ScanAfter,
}
