//! Lists that `ssh-keygen -k` of OpenSSH 9.2 made, each called by the first word of its line in `vectors`, of the keys and
//! certificates in the vectors of certificates.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::super::certificate::tests::certificate;
use super::super::fields::put_string;
use super::*;

fn file(name: &str) -> Vec<u8> {
    let mut lines = include_str!("vectors").lines();
    let text = lines.find_map(|line| line.strip_prefix(&format!("{name} ")));
    STANDARD.decode(text.unwrap()).unwrap()
}

fn list(name: &str) -> RevocationList {
    RevocationList::parse(&file(name)).unwrap()
}

/// Whether a list has a key whose SHA-1 does not matter.
fn has_key(list: &RevocationList, key: &PublicKey) -> bool {
    list.revokes_key(key, &[0; 20], &Sha256::digest(key.blob()))
}

/// A list with these sections.
fn binary(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&VERSION.to_be_bytes());
    file.extend_from_slice(&[0; 24]);
    put_string(&mut file, b"reserved");
    put_string(&mut file, b"comment");
    for (kind, section) in sections {
        file.push(*kind);
        put_string(&mut file, section);
    }
    file
}

/// A section about certificates of any authority.
fn of_any(sections: &[(u8, Vec<u8>)]) -> (u8, Vec<u8>) {
    let mut section = vec![0; 8];
    for (kind, content) in sections {
        section.push(*kind);
        put_string(&mut section, content);
    }
    (CERTIFICATES, section)
}

fn strings(strings: &[&[u8]]) -> Vec<u8> {
    let mut section = Vec::new();
    for string in strings {
        put_string(&mut section, string);
    }
    section
}

#[test]
fn serials_are_listed_one_by_one_in_ranges_and_in_bitmaps() {
    let list = list("serials");
    let [of_authority] = &list.certificates[..] else {
        panic!("{list:?}");
    };
    let certificate = certificate("everything");
    assert_eq!(
        of_authority.authority.as_deref(),
        Some(certificate.authority().blob())
    );
    for serial in [5, 100, 150, 200, 1000, 1002, 1014, 1016, u64::MAX] {
        assert!(of_authority.numbers(serial), "{serial}");
    }
    for serial in [0, 4, 6, 99, 201, 999, 1001, 1015, 1017, 1018, u64::MAX - 1] {
        assert!(!of_authority.numbers(serial), "{serial}");
    }
    assert!(of_authority.names("bob of ops") && !of_authority.names("bob"));
    assert!(!list.revokes_certificate(&certificate), "its serial is 7");
}

#[test]
fn certificates_are_listed_by_name_whoever_signed_them() {
    let list = list("any");
    assert!(list.revokes_certificate(&certificate("everything")));
    assert!(!list.revokes_certificate(&certificate("nobody")));
}

#[test]
fn what_one_authority_revoked_says_nothing_of_the_others() {
    let own = certificate("ecdsa256-by-rsa-sha2-256");
    let entry = |authority: &PublicKey| {
        let mut section = strings(&[authority.blob(), b""]);
        section.push(SERIAL_LIST);
        put_string(&mut section, &own.serial().to_be_bytes());
        RevocationList::parse(&binary(&[(CERTIFICATES, section)])).unwrap()
    };
    assert!(entry(own.authority()).revokes_certificate(&own));
    let other = certificate("everything");
    assert!(!entry(other.authority()).revokes_certificate(&own));
}

#[test]
fn keys_are_listed_as_they_are_and_by_hashes() {
    let list = list("keys");
    let [by_sha1, by_sha256, explicit] = [
        "ecdsa256-by-rsa-sha2-256",
        "ecdsa384-by-rsa-sha2-512",
        "ecdsa521-by-ecdsa256",
    ]
    .map(|name| certificate(name).key().clone());
    assert!(has_key(&list, &by_sha256) && has_key(&list, &explicit));
    assert!(!has_key(&list, &by_sha1));
    // As `ssh-keygen -l -E sha1` prints it.
    let sha1 = STANDARD_NO_PAD
        .decode("cwCg26shO2nl3mtZqdu00BYFWZs")
        .unwrap();
    assert!(list.revokes_key(&by_sha1, &sha1, &[0; 32]));
    let everything = certificate("everything");
    assert!(!has_key(&list, everything.key()));
    assert!(has_key(&self::list("ca"), everything.authority()));
}

#[test]
fn a_plain_list_has_a_key_in_each_line() {
    let key = certificate("everything").key().clone();
    let text = format!("# lost\n\n  {} laptop\r\n", key.to_line());
    let list = RevocationList::parse(text.as_bytes()).unwrap();
    assert!(has_key(&list, &key) && !has_key(&list, certificate("everything").authority()));
    let latin1 = [text.as_bytes(), b"# caf\xe9\n"].concat();
    assert_eq!(RevocationList::parse(&latin1).unwrap(), list);
    assert_eq!(
        RevocationList::parse(b"# nobody\nSHA256:abc\n"),
        Err(RevocationError::Line(2))
    );
    assert!(RevocationList::parse(b"").unwrap().is_empty());
}

#[test]
fn what_may_be_a_revocation_is_not_passed_over() {
    let error = |sections: &[(u8, Vec<u8>)]| RevocationList::parse(&binary(sections)).unwrap_err();
    assert_eq!(error(&[(9, vec![])]), RevocationError::Section(9));
    assert_eq!(
        error(&[of_any(&[(0x24, vec![])])]),
        RevocationError::Section(0x24)
    );
    let extension = |critical| {
        let mut section = strings(&[b"mystery@example.com"]);
        section.push(critical);
        put_string(&mut section, b"");
        section
    };
    assert_eq!(
        error(&[(EXTENSION, extension(1))]),
        RevocationError::Extension
    );
    let certificates = of_any(&[(CERTIFICATE_EXTENSION, extension(1))]);
    assert_eq!(error(&[certificates]), RevocationError::Extension);
    let certificates = of_any(&[(CERTIFICATE_EXTENSION, extension(0))]);
    assert!(RevocationList::parse(&binary(&[(EXTENSION, extension(0)), certificates])).is_ok());
    let mut later = binary(&[]);
    later[MAGIC.len() + 3] = 2;
    assert_eq!(
        RevocationList::parse(&later),
        Err(RevocationError::Version(2))
    );
}

#[test]
fn damaged_sections_are_refused() {
    let malformed = |sections: &[(u8, Vec<u8>)]| {
        RevocationList::parse(&binary(sections)) == Err(RevocationError::Malformed)
    };
    assert!(malformed(&[(FINGERPRINT_SHA1, strings(&[&[0; 32]]))]));
    assert!(malformed(&[(FINGERPRINT_SHA256, strings(&[&[0; 20]]))]));
    assert!(malformed(&[(EXPLICIT_KEY, vec![0, 0, 0, 9, 1])]));
    let range = |first: u64, last: u64| [first.to_be_bytes(), last.to_be_bytes()].concat();
    assert!(malformed(&[of_any(&[(SERIAL_RANGE, range(2, 1))])]));
    assert!(malformed(&[of_any(&[(SERIAL_LIST, vec![0; 7])])]));
    let beyond = [&u64::MAX.to_be_bytes()[..], &[0, 0, 0, 2, 1, 1]].concat();
    assert!(malformed(&[of_any(&[(SERIAL_BITMAP, beyond)])]));
    // Only a signature follows a signature.
    let mut signed = binary(&[(SIGNATURE, b"key".to_vec())]);
    put_string(&mut signed, b"signature");
    assert!(RevocationList::parse(&signed).is_ok());
    signed.push(EXPLICIT_KEY);
    put_string(&mut signed, b"");
    assert_eq!(
        RevocationList::parse(&signed),
        Err(RevocationError::Malformed)
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_list_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = RevocationList::parse(&[MAGIC, &VERSION.to_be_bytes(), &bytes].concat());
        let _ = RevocationList::parse(&bytes);
    }

    #[test]
    fn a_list_that_is_cut_off_within_a_section_is_refused(length in 0_usize..400) {
        let bytes = file("serials");
        // Up to the end of the header it is a list without sections, and no list before.
        let (magic, header) = (MAGIC.len(), 44);
        let length = length % bytes.len();
        let parsed = RevocationList::parse(&bytes[..length]);
        if length >= magic && length != header {
            prop_assert_eq!(parsed, Err(RevocationError::Malformed));
        }
    }

    #[test]
    fn ranges_and_bitmaps_have_exactly_the_serials_that_were_put_in(
        serials in proptest::collection::btree_set(0_u64..300, 0..40),
        ranges in proptest::collection::vec((0_u64..300, 0_u64..20), 0..8),
        bits in proptest::collection::btree_set(0_u64..64, 0..20),
        offset in 0_u64..200,
    ) {
        let mut sections = vec![(
            SERIAL_LIST,
            serials.iter().flat_map(|serial| serial.to_be_bytes()).collect(),
        )];
        for (first, length) in &ranges {
            let range = [first.to_be_bytes(), (first + length).to_be_bytes()].concat();
            sections.push((SERIAL_RANGE, range));
        }
        let bitmap = bits.iter().fold(0_u64, |bitmap, bit| bitmap | 1 << bit);
        let mut section = offset.to_be_bytes().to_vec();
        put_string(&mut section, &[&[0][..], &bitmap.to_be_bytes()].concat());
        sections.push((SERIAL_BITMAP, section));
        let list = RevocationList::parse(&binary(&[of_any(&sections)])).unwrap();
        let of_any = &list.certificates[0];
        for serial in 0..600 {
            let expected = serials.contains(&serial)
                || ranges.iter().any(|(first, length)| (*first..=first + length).contains(&serial))
                || serial.checked_sub(offset).is_some_and(|bit| bits.contains(&bit));
            prop_assert_eq!(of_any.numbers(serial), expected, "{}", serial);
        }
    }
}
