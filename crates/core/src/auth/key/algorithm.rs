//! Names: of signature algorithms, and of what a request announces (RFC 4252 section 7, RFC 8332 section 3).

use std::sync::Arc;

use sftpgo_model::Certificate;
use sftpgo_model::public_key::Curve;

/// How a signature is made. There is no DSA among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureAlgorithm {
    Ed25519,
    Ecdsa(Curve),
    RsaSha256,
    RsaSha512,
    /// Accepted only if that is asked for, and never of authorities.
    RsaSha1,
    SkEd25519,
    SkEcdsa,
}

/// Each by its name, with the type of the keys that sign so.
const ALGORITHMS: [(&str, SignatureAlgorithm, &str); 9] = [
    ("ssh-ed25519", SignatureAlgorithm::Ed25519, "ssh-ed25519"),
    (
        "ecdsa-sha2-nistp256",
        SignatureAlgorithm::Ecdsa(Curve::P256),
        "ecdsa-sha2-nistp256",
    ),
    (
        "ecdsa-sha2-nistp384",
        SignatureAlgorithm::Ecdsa(Curve::P384),
        "ecdsa-sha2-nistp384",
    ),
    (
        "ecdsa-sha2-nistp521",
        SignatureAlgorithm::Ecdsa(Curve::P521),
        "ecdsa-sha2-nistp521",
    ),
    ("rsa-sha2-512", SignatureAlgorithm::RsaSha512, "ssh-rsa"),
    ("rsa-sha2-256", SignatureAlgorithm::RsaSha256, "ssh-rsa"),
    (
        "sk-ssh-ed25519@openssh.com",
        SignatureAlgorithm::SkEd25519,
        "sk-ssh-ed25519@openssh.com",
    ),
    (
        "sk-ecdsa-sha2-nistp256@openssh.com",
        SignatureAlgorithm::SkEcdsa,
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ),
    ("ssh-rsa", SignatureAlgorithm::RsaSha1, "ssh-rsa"),
];

impl SignatureAlgorithm {
    /// The algorithm of that name, with the type of its keys.
    fn find(name: &[u8]) -> Option<(Self, &'static str)> {
        ALGORITHMS
            .into_iter()
            .find(|(known, _, _)| known.as_bytes() == name)
            .map(|(_, algorithm, key_type)| (algorithm, key_type))
    }

    /// The algorithm of that name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Self::find(name).map(|(algorithm, _)| algorithm)
    }
}

/// What the name in a request says of the key and of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announced {
    /// The type of the key, or of the key in the certificate.
    pub(super) key_type: &'static str,
    pub(super) is_certificate: bool,
    /// `None` for the name of RSA keys alone, which is that of SHA-1 signatures too: any. What is signed with a stronger hash than announced loses nothing
    /// (RFC 8332 section 3.2 leaves it to the server), and clients name their keys so.
    pub(super) signature: Option<SignatureAlgorithm>,
}

impl Announced {
    /// Reads the name in a request; `None` if it is of no key that logs in.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let plain = |key_type, signature| Self {
            key_type,
            is_certificate: false,
            signature,
        };
        let certified = |key_type, signature| Self {
            is_certificate: true,
            ..plain(key_type, signature)
        };
        match name {
            "ssh-rsa" => return Some(plain("ssh-rsa", None)),
            // Certificates of RSA keys have one name as a key and two as a signature.
            "rsa-sha2-256-cert-v01@openssh.com" => {
                return Some(certified("ssh-rsa", Some(SignatureAlgorithm::RsaSha256)));
            }
            "rsa-sha2-512-cert-v01@openssh.com" => {
                return Some(certified("ssh-rsa", Some(SignatureAlgorithm::RsaSha512)));
            }
            _ => {}
        }
        if let Some((algorithm, key_type)) = SignatureAlgorithm::find(name.as_bytes()) {
            return Some(plain(key_type, Some(algorithm)));
        }
        let key_type = Certificate::key_type(name.as_bytes())?;
        let signature = SignatureAlgorithm::named(key_type.as_bytes());
        Some(certified(
            key_type,
            signature.filter(|named| *named != SignatureAlgorithm::RsaSha1),
        ))
    }

    /// Whether a signature by this algorithm is what was announced.
    pub(super) fn admits(self, algorithm: SignatureAlgorithm) -> bool {
        use SignatureAlgorithm::{RsaSha1, RsaSha256, RsaSha512};
        match self.signature {
            Some(announced) => announced == algorithm,
            None => matches!(algorithm, RsaSha1 | RsaSha256 | RsaSha512),
        }
    }
}

/// The signature algorithms that are accepted of users' keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedSignatures(Arc<[SignatureAlgorithm]>);

impl AcceptedSignatures {
    /// Those of these names; names that nobody verifies are left out.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let named = |name: &str| SignatureAlgorithm::named(name.as_bytes());
        Self(names.into_iter().filter_map(named).collect())
    }

    /// Every name there is, the one of SHA-1 last.
    pub fn every_name() -> impl Iterator<Item = &'static str> {
        ALGORITHMS.into_iter().map(|(name, _, _)| name)
    }

    pub(super) fn contains(&self, algorithm: SignatureAlgorithm) -> bool {
        self.0.contains(&algorithm)
    }
}

/// All but SHA-1.
impl Default for AcceptedSignatures {
    fn default() -> Self {
        Self::named(Self::every_name().filter(|name| *name != "ssh-rsa"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_announces_the_type_of_the_key_and_of_the_signature() {
        let announced = |name| {
            let announced = Announced::parse(name).unwrap();
            (
                announced.key_type,
                announced.is_certificate,
                announced.signature,
            )
        };
        use SignatureAlgorithm as Algorithm;
        assert_eq!(
            announced("rsa-sha2-256"),
            ("ssh-rsa", false, Some(Algorithm::RsaSha256))
        );
        assert_eq!(
            announced("rsa-sha2-512-cert-v01@openssh.com"),
            ("ssh-rsa", true, Some(Algorithm::RsaSha512))
        );
        assert_eq!(
            announced("sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"),
            (
                "sk-ecdsa-sha2-nistp256@openssh.com",
                true,
                Some(Algorithm::SkEcdsa)
            )
        );
        assert_eq!(announced("ssh-rsa"), ("ssh-rsa", false, None));
        assert_eq!(
            announced("ssh-rsa-cert-v01@openssh.com"),
            ("ssh-rsa", true, None)
        );
        for name in [
            "",
            "ssh-dss",
            "ssh-dss-cert-v01@openssh.com",
            "SSH-RSA",
            "x509v3-ssh-rsa",
        ] {
            assert_eq!(Announced::parse(name), None, "{name}");
        }
    }

    #[test]
    fn what_signs_is_what_was_announced_or_any_of_rsa_for_the_name_of_the_key() {
        use SignatureAlgorithm::{Ed25519, RsaSha1, RsaSha256, RsaSha512};
        let admits = |name, algorithm| Announced::parse(name).unwrap().admits(algorithm);
        assert!(admits("rsa-sha2-256", RsaSha256) && !admits("rsa-sha2-256", RsaSha512));
        assert!(admits("ssh-rsa", RsaSha256) && admits("ssh-rsa", RsaSha512));
        assert!(!admits("ssh-rsa", Ed25519));
        assert!(admits("ssh-rsa", RsaSha1) && !admits("rsa-sha2-256", RsaSha1));
    }

    #[test]
    fn sha1_is_accepted_only_if_it_is_named() {
        use SignatureAlgorithm::{Ed25519, RsaSha1, RsaSha512};
        let default = AcceptedSignatures::default();
        assert!(default.contains(RsaSha512) && default.contains(Ed25519));
        assert!(!default.contains(RsaSha1));
        let named = AcceptedSignatures::named(["ssh-rsa", "no-such", "ssh-ed25519"]);
        assert!(named.contains(RsaSha1) && named.contains(Ed25519));
        assert!(!named.contains(RsaSha512));
    }
}
