//! Keys and signatures of requests: names, sizes and arithmetic.

use super::super::offered::KeyError;
use super::super::signature::Signature;
use super::made::{Bytes, Pair, SecurityKey};
use super::offered_key;
use proptest::prelude::*;
use sftpgo_model::public_key::{MaterialError, PublicKeyError};

const DATA: &[u8] = b"the session and the request";

fn rsa_blob(bits: usize, exponent: &[u8]) -> Vec<u8> {
    let modulus = [&[0][..], &vec![0x8f; bits / 8]].concat();
    Bytes::default()
        .string(b"ssh-rsa")
        .string(exponent)
        .string(&modulus)
        .0
}

#[test]
fn rsa_keys_of_more_than_8192_bits_or_signatures_with_sha1_are_refused_before_any_arithmetic() {
    let usual = [1, 0, 1];
    let refused = Some(KeyError::Material(MaterialError::Size));
    for (bits, expected) in [
        (1016, refused.clone()),
        (1024, None),
        (2048, None),
        (8192, None),
        (8200, refused.clone()),
        (65_536, refused.clone()),
    ] {
        let parsed = offered_key("rsa-sha2-512", &rsa_blob(bits, &usual));
        assert_eq!(parsed.err(), expected, "{bits}");
    }
    // Longer than any key that is looked at.
    let parsed = offered_key("rsa-sha2-512", &rsa_blob(262_144, &usual));
    assert_eq!(parsed.err(), Some(KeyError::Key(PublicKeyError::Data)));
    let parsed = offered_key("rsa-sha2-512", &rsa_blob(8192, &[0x7f; 100]));
    assert_eq!(parsed.err(), refused);
    let key = offered_key("ssh-rsa", &rsa_blob(2048, &usual)).unwrap();
    assert_eq!(key.check_question(), Err(KeyError::Sha1));
    let sha1 = Bytes::default().string(b"ssh-rsa").string(&[1; 256]).0;
    assert_eq!(key.verify(DATA, &sha1).err(), Some(KeyError::Sha1));
}

#[test]
fn the_name_of_the_request_is_that_of_the_key_and_of_the_signature() {
    let pair = Pair::numbered(1);
    let parse = |name| offered_key(name, &pair.blob()).map(drop);
    assert_eq!(parse("ssh-ed25519"), Ok(()));
    assert_eq!(parse("rsa-sha2-256"), Err(KeyError::Type));
    assert_eq!(parse("sk-ssh-ed25519@openssh.com"), Err(KeyError::Type));
    assert_eq!(parse("ssh-dss"), Err(KeyError::Algorithm));
    assert!(matches!(
        parse("ssh-ed25519-cert-v01@openssh.com"),
        Err(KeyError::Certificate(_))
    ));
    let key = || offered_key("ssh-ed25519", &pair.blob()).unwrap();
    assert!(key().verify(DATA, &pair.sign(DATA)).is_ok());
    assert_eq!(
        key().verify(b"other data", &pair.sign(DATA)).err(),
        Some(KeyError::Wrong)
    );
    assert_eq!(
        key().verify(DATA, &Pair::numbered(2).sign(DATA)).err(),
        Some(KeyError::Wrong)
    );
    let [sk, _] = SecurityKey::both();
    assert_eq!(
        key().verify(DATA, &sk.sign(DATA, 1)).err(),
        Some(KeyError::Signature)
    );
}

#[test]
fn a_signature_has_its_fields_and_no_more() {
    let pair = Pair::numbered(1);
    let is_signature = |blob: &[u8]| {
        let key = offered_key("ssh-ed25519", &pair.blob()).unwrap();
        key.verify(DATA, blob).is_ok()
    };
    let good = pair.sign(DATA);
    assert!(is_signature(&good));
    assert!(!is_signature(&[&good[..], &[0]].concat()));
    assert!(!is_signature(&good[..good.len() - 1]));
    assert!(!is_signature(b""));
    let padded = Bytes::default().string(b"ssh-ed25519");
    let padded = padded.string(&[&good[19..], &[0]].concat());
    assert!(!is_signature(&padded.0));
}

#[test]
fn security_keys_sign_for_their_application_with_flags_and_a_counter() {
    for sk in SecurityKey::both() {
        let key = || offered_key(sk.name(), &sk.blob()).unwrap();
        let signature = sk.sign(DATA, 0x05);
        let touch = key().verify(DATA, &signature).unwrap().touch().unwrap();
        assert!(touch.is_present() && touch.is_verified());
        let touch = key().verify(DATA, &sk.sign(DATA, 0)).unwrap().touch();
        assert!(!touch.unwrap().is_present() && !touch.unwrap().is_verified());
        // The flags and the counter were signed.
        for at in [signature.len() - 1, signature.len() - 5] {
            let mut forged = signature.clone();
            forged[at] ^= 1;
            assert_eq!(key().verify(DATA, &forged).err(), Some(KeyError::Wrong));
        }
        // So was the application, which is part of the key.
        let mut other = sk.blob();
        *other.last_mut().unwrap() = b';';
        let other = offered_key(sk.name(), &other).unwrap();
        assert_eq!(other.verify(DATA, &signature).err(), Some(KeyError::Wrong));
        let plain = &signature[..signature.len() - 5];
        assert_eq!(key().verify(DATA, plain).err(), Some(KeyError::Algorithm));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_key_or_refused(
        name in "[a-z0-9@.-]{0,40}|ssh-rsa|ssh-ed25519|ssh-rsa-cert-v01@openssh.com",
        bytes in proptest::collection::vec(any::<u8>(), 0..256),
    ) {
        prop_assert!(offered_key(&name, &bytes).is_err());
        prop_assert!(Signature::parse(&bytes).is_none());
    }

    #[test]
    fn a_changed_signature_is_wrong(at in 0_usize..64, bit in 0_u8..8) {
        let pair = Pair::numbered(1);
        let mut signature = pair.sign(DATA);
        let at = signature.len() - 1 - at;
        signature[at] ^= 1 << bit;
        let key = offered_key("ssh-ed25519", &pair.blob()).unwrap();
        prop_assert_eq!(key.verify(DATA, &signature).err(), Some(KeyError::Wrong));
    }
}
