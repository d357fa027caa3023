//! How a client logs in and which protocol it speaks: labels, and which methods an account asks for.

use std::fmt;

use thiserror::Error;

/// The protocol a session acts through; a label for filters, logs and the connection list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// SFTP subsystem.
    Sftp,
    /// SCP over an exec request.
    Scp,
    /// Another SSH command over an exec request.
    Ssh,
}

impl Protocol {
    /// The name as it stands in logs and in the REST API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sftp => "SFTP",
            Self::Scp => "SCP",
            Self::Ssh => "SSH",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a client proves who it is. The names are those of RFC 4252 and of `denied_login_methods`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginMethod {
    /// RFC 4252 section 8.
    Password,
    /// RFC 4252 section 7.
    PublicKey,
    /// RFC 4256.
    KeyboardInteractive,
}

impl LoginMethod {
    /// Every method, in the order of the reference.
    pub const ALL: [Self; 3] = [Self::PublicKey, Self::Password, Self::KeyboardInteractive];

    /// The name on the wire, in account filters and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PublicKey => "publickey",
            Self::KeyboardInteractive => "keyboard-interactive",
        }
    }

    /// Parses a name of `denied_login_methods`; `None` if there is no such method.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

impl fmt::Display for LoginMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Methods that must all be proved, in this order: `publickey,password`, as in OpenSSH's `AuthenticationMethods`.
///
/// At least one, at most [`LoginSequence::LONGEST`]. Only `publickey` may be in it more than once: each time means another
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSequence(Vec<LoginMethod>);

/// Why a text is no [`LoginSequence`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SequenceError {
    /// No such method.
    #[error("unknown login method {0:?}")]
    Unknown(String),
    /// Only `publickey` may be.
    #[error("{0} is there twice")]
    Twice(LoginMethod),
    /// Nobody would get to its end.
    #[error("more than {} methods", LoginSequence::LONGEST)]
    TooLong,
}

impl LoginSequence {
    /// Most methods in one sequence.
    pub const LONGEST: usize = 4;

    /// Parses names that are separated by commas.
    ///
    /// # Errors
    /// An unknown name, one that may not be repeated, or too many of them.
    pub fn parse(text: &str) -> Result<Self, SequenceError> {
        let mut methods: Vec<LoginMethod> = Vec::new();
        for name in text.split(',').map(str::trim) {
            let method =
                LoginMethod::parse(name).ok_or_else(|| SequenceError::Unknown(name.to_owned()))?;
            if method != LoginMethod::PublicKey && methods.contains(&method) {
                return Err(SequenceError::Twice(method));
            }
            methods.push(method);
        }
        if methods.len() > Self::LONGEST {
            return Err(SequenceError::TooLong);
        }
        Ok(Self(methods))
    }

    /// The methods, first to last.
    pub fn methods(&self) -> &[LoginMethod] {
        &self.0
    }
}

impl fmt::Display for LoginSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|method| method.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

/// What an account asks for: one of these sequences from beginning to end. Without any, one method is enough, whichever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequiredMethods(Vec<LoginSequence>);

/// How far somebody got who proved some methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// That is enough.
    Complete,
    /// One of these must follow; never empty.
    Continue(Vec<LoginMethod>),
    /// No sequence begins like that.
    Nowhere,
}

impl RequiredMethods {
    /// An account that asks for one of `sequences`.
    pub fn new(sequences: Vec<LoginSequence>) -> Self {
        Self(sequences)
    }

    /// How far `proved`, in the order of the proofs, leads. Sequences with a method that is not `usable` do not count.
    pub fn progress(
        &self,
        proved: &[LoginMethod],
        usable: impl Fn(LoginMethod) -> bool,
    ) -> Progress {
        if self.0.is_empty() {
            return match proved {
                [] => Progress::of(
                    LoginMethod::ALL
                        .into_iter()
                        .filter(|m| usable(*m))
                        .collect(),
                ),
                _ if proved.iter().all(|method| usable(*method)) => Progress::Complete,
                _ => Progress::Nowhere,
            };
        }
        let mut next = Vec::new();
        for sequence in &self.0 {
            let methods = sequence.methods();
            let Some(rest) = methods.strip_prefix(proved) else {
                continue;
            };
            if !methods.iter().all(|method| usable(*method)) {
                continue;
            }
            match rest.first() {
                None => return Progress::Complete,
                Some(method) if !next.contains(method) => next.push(*method),
                Some(_) => {}
            }
        }
        Progress::of(next)
    }
}

impl Progress {
    fn of(next: Vec<LoginMethod>) -> Self {
        if next.is_empty() {
            Self::Nowhere
        } else {
            Self::Continue(next)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LoginMethod::{KeyboardInteractive, Password, PublicKey};
    use super::*;

    fn required(sequences: &[&str]) -> RequiredMethods {
        let parsed = sequences.iter().map(|text| LoginSequence::parse(text));
        RequiredMethods::new(parsed.collect::<Result<_, _>>().unwrap())
    }

    fn progress(sequences: &[&str], proved: &[LoginMethod]) -> Progress {
        required(sequences).progress(proved, |_| true)
    }

    #[test]
    fn a_sequence_names_known_methods_and_only_keys_more_than_once() {
        let parsed = LoginSequence::parse("publickey, password").unwrap();
        assert_eq!(parsed.methods(), [PublicKey, Password]);
        assert_eq!(parsed.to_string(), "publickey,password");
        assert!(LoginSequence::parse("publickey,publickey").is_ok());
        for bad in [
            "",
            "publickey,",
            "publickey+password",
            "any",
            "Password",
            "password,password",
            "keyboard-interactive,password,keyboard-interactive",
            "publickey,publickey,publickey,publickey,publickey",
        ] {
            assert!(LoginSequence::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_sequence_one_method_is_enough() {
        assert_eq!(progress(&[], &[Password]), Progress::Complete);
        assert_eq!(
            progress(&[], &[]),
            Progress::Continue(LoginMethod::ALL.into())
        );
        let without_keys = |method| method != PublicKey;
        let denied = required(&[]).progress(&[PublicKey], without_keys);
        assert_eq!(denied, Progress::Nowhere);
    }

    #[test]
    fn a_sequence_is_proved_in_its_order() {
        let both = ["publickey,password"];
        assert_eq!(progress(&both, &[]), Progress::Continue(vec![PublicKey]));
        assert_eq!(
            progress(&both, &[PublicKey]),
            Progress::Continue(vec![Password])
        );
        assert_eq!(progress(&both, &[PublicKey, Password]), Progress::Complete);
        for wrong in [
            &[Password][..],
            &[Password, PublicKey],
            &[PublicKey, PublicKey],
        ] {
            assert_eq!(progress(&both, wrong), Progress::Nowhere, "{wrong:?}");
        }
    }

    #[test]
    fn one_of_several_sequences_is_enough() {
        let either = [
            "publickey,password",
            "publickey,keyboard-interactive",
            "password,publickey",
        ];
        assert_eq!(
            progress(&either, &[PublicKey]),
            Progress::Continue(vec![Password, KeyboardInteractive])
        );
        assert_eq!(
            progress(&either, &[Password, PublicKey]),
            Progress::Complete
        );
        assert_eq!(progress(&either, &[KeyboardInteractive]), Progress::Nowhere);
        assert_eq!(
            progress(&["publickey", "publickey,password"], &[PublicKey]),
            Progress::Complete
        );
    }

    #[test]
    fn a_sequence_with_a_method_that_cannot_be_used_does_not_count() {
        let required = required(&["publickey,password", "publickey,keyboard-interactive"]);
        let no_passwords = |method| method != Password;
        assert_eq!(
            required.progress(&[PublicKey], no_passwords),
            Progress::Continue(vec![KeyboardInteractive])
        );
        let only_keys = |method| method == PublicKey;
        assert_eq!(required.progress(&[], only_keys), Progress::Nowhere);
    }
}
