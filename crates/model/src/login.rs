//! Labels for how a client logs in and which protocol it speaks.

use std::fmt;

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
