//! Certificates that `ssh-keygen` of OpenSSH 9.2 made, each called by its comment in `vectors`, and what is left when
//! somebody tampers with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn blob(name: &str) -> Vec<u8> {
    let mut lines = include_str!("vectors").lines();
    let words: Vec<_> = lines
        .find(|line| line.ends_with(&format!(" {name}")))
        .unwrap()
        .split(' ')
        .collect();
    STANDARD.decode(words[1]).unwrap()
}

pub(in crate::public_key) fn certificate(name: &str) -> Certificate {
    Certificate::from_blob(&blob(name)).unwrap()
}

/// A blob in which one text stands for another of the same length.
fn tampered(name: &str, from: &str, to: &str) -> Result<Certificate, CertificateError> {
    assert_eq!(from.len(), to.len());
    let mut bytes = blob(name);
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    Certificate::from_blob(&bytes)
}

#[test]
fn every_field_of_a_certificate_is_read() {
    let certificate = certificate("everything");
    assert_eq!(certificate.kind(), CertificateKind::User);
    assert_eq!(certificate.key().algorithm(), "ssh-ed25519");
    assert_eq!(certificate.authority().algorithm(), "ssh-ed25519");
    assert!(!certificate.key().same_key(certificate.authority()));
    assert_eq!(certificate.serial(), 7);
    assert_eq!(certificate.key_id(), "alice of ops");
    assert!(certificate.names("alice") && certificate.names("bob"));
    assert!(!certificate.names("Alice") && !certificate.names("") && !certificate.names("al"));
    let options = certificate.critical_options();
    assert_eq!(options.force_command.as_deref(), Some("internal-sftp"));
    assert_eq!(options.source_address.as_ref().unwrap().len(), 2);
    assert!(options.verify_required && certificate.no_touch_required());
    // 2025-01-01 to 2035-01-01.
    assert!(!certificate.is_valid_at(1_735_689_599) && certificate.is_valid_at(1_735_689_600));
    assert!(certificate.is_valid_at(2_051_222_399) && !certificate.is_valid_at(2_051_222_400));
}

#[test]
fn every_type_of_key_can_be_certified() {
    for (name, key, authority) in [
        ("ecdsa256-by-rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-rsa"),
        ("ecdsa384-by-rsa-sha2-512", "ecdsa-sha2-nistp384", "ssh-rsa"),
        (
            "ecdsa521-by-ecdsa256",
            "ecdsa-sha2-nistp521",
            "ecdsa-sha2-nistp256",
        ),
        ("rsa-by-ecdsa384", "ssh-rsa", "ecdsa-sha2-nistp384"),
        (
            "sk-ed25519-by-ecdsa521",
            "sk-ssh-ed25519@openssh.com",
            "ecdsa-sha2-nistp521",
        ),
        (
            "sk-ecdsa-by-ed25519",
            "sk-ecdsa-sha2-nistp256@openssh.com",
            "ssh-ed25519",
        ),
    ] {
        let certificate = certificate(name);
        assert_eq!(certificate.key().algorithm(), key);
        assert_eq!(certificate.authority().algorithm(), authority);
        assert!(certificate.key().material().is_ok(), "{name}");
        assert!(certificate.is_valid_at(0) && certificate.is_valid_at(u64::MAX - 1));
        assert_eq!(certificate.critical_options(), &CriticalOptions::default());
    }
}

#[test]
fn hosts_and_those_that_name_nobody_are_told_apart() {
    assert_eq!(certificate("host").kind(), CertificateKind::Host);
    assert!(!certificate("nobody").names("alice") && !certificate("nobody").names(""));
}

#[test]
fn an_unknown_critical_option_is_an_error_and_an_unknown_extension_is_none() {
    assert_eq!(
        Certificate::from_blob(&blob("unknown-option")),
        Err(CertificateError::UnknownOption(
            "mystery@example.com".to_owned()
        ))
    );
    assert!(Certificate::from_blob(&blob("unknown-extension")).is_ok());
}

#[test]
fn options_that_are_not_understood_are_errors() {
    let refused = |from, to| tampered("everything", from, to).unwrap_err();
    assert_eq!(
        refused("192.0.2.0/24", "192.0.2.1/24"),
        CertificateError::Option("source-address")
    );
    assert_eq!(
        refused("source-address", "future-address"),
        CertificateError::UnknownOption("future-address".to_owned())
    );
    assert_eq!(
        refused("internal-sftp", "internal\0sftp"),
        CertificateError::Option("force-command")
    );
}

#[test]
fn an_authority_is_no_certificate() {
    // The name of the authority's key, which is the last one in the blob.
    let mut bytes = blob("everything");
    let name = b"ssh-ed25519";
    let at = bytes
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| window == name)
        .map(|(at, _)| at)
        .nth(1)
        .unwrap();
    bytes[at..at + name.len()].copy_from_slice(b"ssh-unknown");
    assert_eq!(
        Certificate::from_blob(&bytes),
        Err(CertificateError::Authority)
    );
}

#[test]
fn only_certificates_are_certificates() {
    let certificate = certificate("everything");
    assert_eq!(
        Certificate::from_blob(certificate.key().blob()),
        Err(CertificateError::Type)
    );
    assert!(PublicKey::from_blob(&blob("everything")).is_err());
    for bytes in [&b""[..], &[0xff; 64], &[0; 64]] {
        assert!(Certificate::from_blob(bytes).is_err());
    }
    let mut longer = blob("everything");
    longer.push(0);
    assert_eq!(
        Certificate::from_blob(&longer),
        Err(CertificateError::Malformed)
    );
}

#[test]
fn types_of_certificates_are_those_of_keys() {
    let key_type = |name: &str| Certificate::key_type(name.as_bytes());
    assert_eq!(key_type("ssh-rsa-cert-v01@openssh.com"), Some("ssh-rsa"));
    assert_eq!(
        key_type("sk-ssh-ed25519-cert-v01@openssh.com"),
        Some("sk-ssh-ed25519@openssh.com")
    );
    for name in [
        "",
        "ssh-rsa",
        "-cert-v01@openssh.com",
        "ssh-dss-cert-v01@openssh.com",
        "ssh-rsa-cert-v00@openssh.com",
        "rsa-sha2-512-cert-v01@openssh.com",
        "sk-ssh-ed25519@openssh.com-cert-v01@openssh.com",
    ] {
        assert_eq!(key_type(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_certificate_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(Certificate::from_blob(&bytes).is_err());
    }

    /// Whatever is changed: either it is refused, or it is seen, because what was signed is no longer the same.
    #[test]
    fn a_changed_certificate_is_refused_or_signed_differently(at in 0_usize..400, bit in 0_u8..8) {
        let original = certificate("everything");
        let mut bytes = blob("everything");
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = Certificate::from_blob(&bytes) {
            prop_assert!(
                changed.signed() != original.signed() || changed.signature() != original.signature()
            );
        }
    }

    #[test]
    fn a_certificate_that_is_cut_off_is_refused(length in 0_usize..400) {
        let bytes = blob("everything");
        let length = length % bytes.len();
        prop_assert!(Certificate::from_blob(&bytes[..length]).is_err());
    }
}
