//! Certificates of `ssh-keygen`, and some that it would not make, against the checks.

use sftpgo_model::Certificate;

use super::super::certificate::{Use, check};
use super::super::offered::KeyError;
use super::made::{Bytes, Draft, Pair, vector};
use super::offered_key;
use crate::auth::factor::Restrictions;

const NOW: u64 = 1_800_000_000;

fn used<'a>(principals: &'a [&'a str], address: &str) -> Use<'a> {
    Use {
        principals,
        address: address.parse().unwrap(),
        now: NOW,
    }
}

/// Why a certificate is refused to alice, who comes from 192.0.2.7.
fn refused(certificate: &Certificate) -> Option<String> {
    let checked = check(certificate, used(&["alice"], "192.0.2.7"));
    checked.err().map(|error| error.to_string())
}

fn made(name: &str) -> Certificate {
    Certificate::from_blob(&vector(name)).unwrap()
}

#[test]
fn authorities_of_every_type_sign_certificates() {
    for name in [
        "everything",
        "ecdsa256-by-rsa-sha2-256",
        "ecdsa384-by-rsa-sha2-512",
        "ecdsa521-by-ecdsa256",
        "rsa-by-ecdsa384",
        "sk-ed25519-by-ecdsa521",
        "sk-ecdsa-by-ed25519",
        "unknown-extension",
        "rsa-signature-with-a-zero",
    ] {
        assert_eq!(refused(&made(name)), None, "{name}");
    }
}

/// Old clients and authorities leave out the zeros in front of an RSA signature.
#[test]
fn an_rsa_signature_may_be_short() {
    let mut blob = vector("rsa-signature-with-a-zero");
    let signature = Bytes::default().string(b"rsa-sha2-256").string(&[0; 256]).0;
    let at = blob.len() - signature.len();
    let number = blob[at + 20..].to_vec();
    assert_eq!((number.len(), number[0]), (256, 0));
    blob.truncate(at - 4);
    let short = Bytes::default()
        .string(b"rsa-sha2-256")
        .string(&number[1..])
        .0;
    let blob = Bytes(blob).string(&short).0;
    assert_eq!(refused(&Certificate::from_blob(&blob).unwrap()), None);
}

#[test]
fn weak_authorities_and_sha1_sign_nothing() {
    assert!(refused(&made("by-rsa-1024")).unwrap().contains("authority"));
    assert!(refused(&made("by-rsa-sha1")).unwrap().contains("signature"));
}

#[test]
fn a_certified_rsa_key_has_2048_bits() {
    let parsed = offered_key("rsa-sha2-256-cert-v01@openssh.com", &vector("of-rsa-1024"));
    assert_eq!(parsed.err(), Some(KeyError::Certified));
    let blob = vector("rsa-by-ecdsa384");
    for name in [
        "rsa-sha2-256-cert-v01@openssh.com",
        "rsa-sha2-512-cert-v01@openssh.com",
        "ssh-rsa-cert-v01@openssh.com",
    ] {
        assert!(offered_key(name, &blob).is_ok(), "{name}");
    }
    let parsed = offered_key("ssh-ed25519-cert-v01@openssh.com", &blob);
    assert_eq!(parsed.err(), Some(KeyError::Type));
}

#[test]
fn a_certificate_of_a_host_is_none_of_a_user() {
    assert!(refused(&made("host")).unwrap().contains("user"));
}

#[test]
fn a_certificate_names_its_user_and_nobody_is_not_everybody() {
    assert!(refused(&made("nobody")).unwrap().contains("name"));
    let certificate = made("everything");
    let names = |principals: &[&str]| check(&certificate, used(principals, "192.0.2.7")).is_ok();
    assert!(names(&["alice"]) && names(&["bob"]) && names(&["ops", "bob"]));
    assert!(!names(&["Alice"]) && !names(&[""]) && !names(&[]));
}

#[test]
fn a_certificate_is_valid_within_its_bounds() {
    let is_valid = |valid| {
        let draft = Draft {
            valid,
            ..Draft::new()
        };
        refused(&draft.certificate()).is_none()
    };
    assert!(is_valid((0, u64::MAX)) && is_valid((NOW, NOW + 1)));
    assert!(!is_valid((NOW + 1, u64::MAX)), "not yet");
    assert!(!is_valid((0, NOW)), "no longer");
    assert!(!is_valid((u64::MAX, 0)));
}

#[test]
fn a_certificate_is_used_from_where_it_may_be() {
    let certificate = made("everything");
    let from = |address| check(&certificate, used(&["alice"], address)).is_ok();
    assert!(from("192.0.2.1") && from("2001:db8::1") && from("::ffff:192.0.2.1"));
    assert!(!from("192.0.3.1") && !from("::1"));
}

#[test]
fn what_restricts_the_login_goes_on_with_it() {
    let restrictions = check(&made("everything"), used(&["alice"], "192.0.2.7")).unwrap();
    assert_eq!(restrictions.forced_command(), Some("internal-sftp"));
    assert!(restrictions.check("198.51.100.1".parse().unwrap()).is_err());
    let free = check(&Draft::new().certificate(), used(&["alice"], "192.0.2.7")).unwrap();
    assert_eq!(free, Restrictions::default());
}

#[test]
fn a_forged_certificate_is_refused_wherever_it_was_changed() {
    let original = Draft::new().blob();
    for at in 0..original.len() {
        let mut forged = original.clone();
        forged[at] ^= 1;
        if let Ok(certificate) = Certificate::from_blob(&forged) {
            assert!(refused(&certificate).is_some(), "byte {at}");
        }
    }
}

#[test]
fn the_signature_is_one_of_the_authority_that_is_named() {
    let mut draft = Draft::new();
    draft.authority = 8;
    let other = draft.blob();
    // The certificate of one authority with the signature of another.
    let mut mixed = Draft::new().blob();
    let tail = mixed.len() - 83;
    mixed[tail..].copy_from_slice(&other[tail..]);
    let certificate = Certificate::from_blob(&mixed).unwrap();
    assert_eq!(
        certificate.authority().blob(),
        Pair::numbered(9).blob(),
        "only the signature was replaced"
    );
    assert!(refused(&certificate).unwrap().contains("signature"));
}
