//! [`TransportError`]: why a connection ends, for the log, and what its client is told of it.

use russh::{AlgorithmKind, Disconnect};

/// Of what a client sends, so much is shown in the log.
const MAX_SHOWN: usize = 400;

/// Ends the connection.
#[derive(Debug)]
pub(super) struct TransportError {
    reason: String,
    /// What the client is told before; nothing if it is gone, or is no SSH client.
    told: Option<(Disconnect, String)>,
}

impl TransportError {
    /// An error of ours, which the client is told as it is.
    pub(super) fn new(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            told: Some((Disconnect::ByApplication, reason.to_owned())),
        }
    }

    /// For the log.
    pub(super) fn into_reason(self) -> String {
        self.reason
    }

    pub(super) fn last_words(&self) -> Option<(Disconnect, String)> {
        self.told.clone()
    }

    fn no_common(kind: &AlgorithmKind, ours: &[String], theirs: &[String]) -> Self {
        let (kind, setting) = match kind {
            AlgorithmKind::Kex => ("key exchange method", "sftpd.kex_algorithms"),
            AlgorithmKind::Key => ("host key algorithm", "sftpd.host_key_algorithms"),
            AlgorithmKind::Cipher => ("cipher", "sftpd.ciphers"),
            AlgorithmKind::Mac => ("MAC", "sftpd.macs"),
            AlgorithmKind::Compression => ("compression", "none but `none`"),
        };
        let shown: String = theirs.join(",").chars().take(MAX_SHOWN).collect();
        let told = format!("no common {kind}; this server has {}", ours.join(","));
        Self {
            reason: format!(
                "no common {kind}: the client has {shown} (see sftpd.algorithms_profile and {setting})"
            ),
            told: Some((Disconnect::KeyExchangeFailed, told)),
        }
    }
}

impl From<russh::Error> for TransportError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every kind that is not about the exchange of keys or the connection is about the protocol"
    )]
    fn from(error: russh::Error) -> Self {
        use russh::Error;
        let reason = error.to_string();
        let told = match error {
            Error::NoCommonAlgo { kind, ours, theirs } => {
                return Self::no_common(&kind, &ours, &theirs);
            }
            Error::IO(_)
            | Error::HUP
            | Error::Disconnect
            | Error::SendError
            | Error::Join(_)
            | Error::Elapsed(_)
            | Error::Version
            | Error::KeepaliveTimeout
            | Error::InactivityTimeout
            | Error::ConnectionTimeout => None,
            Error::Kex
            | Error::KexInit
            | Error::UnknownAlgo
            | Error::UnknownKey
            | Error::StrictKeyExchangeViolation { .. } => Some(Disconnect::KeyExchangeFailed),
            _ => Some(Disconnect::ProtocolError),
        };
        Self {
            told: told.map(|kind| (kind, reason.clone())),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_knows_nothing_we_have_is_told_so_and_the_operator_what_to_set() {
        let theirs = vec!["x".repeat(100); 100];
        let error = TransportError::from(russh::Error::NoCommonAlgo {
            kind: AlgorithmKind::Kex,
            ours: vec!["mlkem768x25519-sha256".to_owned()],
            theirs,
        });
        let (kind, told) = error.last_words().unwrap();
        assert_eq!(kind as u32, 3);
        assert!(told.ends_with("this server has mlkem768x25519-sha256"));
        let reason = error.into_reason();
        assert!(reason.contains("sftpd.algorithms_profile"), "{reason}");
        assert!(reason.len() < MAX_SHOWN + 200);
    }

    #[test]
    fn who_is_gone_is_told_nothing() {
        assert!(
            TransportError::from(russh::Error::HUP)
                .last_words()
                .is_none()
        );
        let (kind, _) = TransportError::from(russh::Error::Inconsistent)
            .last_words()
            .unwrap();
        assert_eq!(kind as u32, 2);
    }
}
