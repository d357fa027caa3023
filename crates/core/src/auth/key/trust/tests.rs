//! Files that are read, read again, and not read.

use std::fs;

use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ca";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP////////////////////////////////////////// other";

fn trusts(trust: &KeyTrust, line: &str) -> bool {
    trust.now().trusts(&PublicKey::parse(line).unwrap())
}

#[test]
fn a_file_has_an_authority_in_each_line_and_there_may_be_several_files() {
    let directory = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
    fs::write(&one, format!("# ours\r\n\r\n{KEY}\r\n")).unwrap();
    fs::write(
        &two,
        [b"# caf\xe9\n  ".as_slice(), OTHER.as_bytes()].concat(),
    )
    .unwrap();
    let files = |authorities| KeyFiles {
        authorities,
        revoked: None,
    };
    let both = KeyTrust::load(files(vec![one.clone(), two])).unwrap();
    assert!(trusts(&both, KEY) && trusts(&both, OTHER));
    let first = KeyTrust::load(files(vec![one])).unwrap();
    assert!(trusts(&first, KEY) && !trusts(&first, OTHER));
    assert!(!trusts(&KeyTrust::default(), KEY));
}

#[test]
fn what_cannot_be_an_authority_is_named_with_its_setting_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pub");
    let small = {
        let mut blob = vec![0, 0, 0, 7];
        blob.extend_from_slice(b"ssh-rsa\0\0\0\x01\x03\0\0\0\x80");
        blob.extend_from_slice(&[0x7f; 128]);
        use base64::Engine as _;
        format!(
            "ssh-rsa {}",
            base64::engine::general_purpose::STANDARD.encode(blob)
        )
    };
    let dsa = "ssh-dss AAAAB3NzaC1kc3MAAAABAQAAAAEBAAAAAQEAAAABAQ==";
    for bad in ["nonsense", &format!("cert-authority {KEY}"), &small, dsa] {
        fs::write(&path, format!("{KEY}\n{bad}\n")).unwrap();
        let files = KeyFiles {
            authorities: vec![path.clone()],
            revoked: None,
        };
        let issue = KeyTrust::load(files).unwrap_err();
        assert_eq!(issue.key, AUTHORITIES);
        assert!(
            issue.reason.contains("ca.pub: line 2"),
            "{bad}: {}",
            issue.reason
        );
    }
}

#[test]
fn what_is_no_file_is_named_with_its_setting() {
    let directory = tempfile::tempdir().unwrap();
    for path in [
        directory.path().join("missing"),
        directory.path().to_owned(),
        PathBuf::from("/dev/zero"),
    ] {
        let files = KeyFiles {
            authorities: vec![path.clone()],
            revoked: None,
        };
        assert_eq!(KeyTrust::load(files).unwrap_err().key, AUTHORITIES);
        let files = KeyFiles {
            authorities: Vec::new(),
            revoked: Some(path),
        };
        assert_eq!(KeyTrust::load(files).unwrap_err().key, REVOKED);
    }
}

#[test]
fn files_are_read_again_and_a_broken_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let [ca, list] = ["ca", "list"].map(|name| directory.path().join(name));
    fs::write(&ca, KEY).unwrap();
    fs::write(&list, "").unwrap();
    let trust = KeyTrust::load(KeyFiles {
        authorities: vec![ca.clone()],
        revoked: Some(list.clone()),
    })
    .unwrap();
    let key = PublicKey::parse(KEY).unwrap();
    let is_revoked = || trust.now().has_revoked_key(&key);
    assert!(trusts(&trust, KEY) && !is_revoked());

    fs::write(&list, KEY).unwrap();
    assert!(!is_revoked(), "not before it is asked for");
    assert_eq!(trust.reload(), Ok(Some(Reloaded { authorities: 1 })));
    assert!(is_revoked());

    // One broken file keeps the other, too.
    fs::write(&list, b"SSHKRL\n\0\0\0\0\x02").unwrap();
    fs::write(&ca, OTHER).unwrap();
    assert_eq!(trust.reload().unwrap_err().key, REVOKED);
    assert!(is_revoked() && trusts(&trust, KEY) && !trusts(&trust, OTHER));

    // Nobody is trusted any more who is in none of the files.
    fs::write(&list, "").unwrap();
    fs::write(&ca, "").unwrap();
    assert_eq!(trust.reload(), Ok(Some(Reloaded { authorities: 0 })));
    assert!(!is_revoked() && !trusts(&trust, KEY));
    assert_eq!(KeyTrust::default().reload(), Ok(None));
}
