//! What accounts allow to keys and certificates.

use std::fs;
use std::net::IpAddr;

use sftpgo_model::{UnixMillis, UserRecord};
use tempfile::TempDir;

use super::super::grant::{ForcedCommands, Grant, Granting, has_passed};
use super::super::offered::OfferedKey;
use super::super::trust::{KeyFiles, KeyTrust};
use super::made::{Draft, Pair, SecurityKey, line};
use super::offered_key;

/// A server that trusts `Pair::numbered(9)`, and has revoked what these lines say.
struct Server {
    trust: KeyTrust,
    _directory: TempDir,
}

impl Server {
    fn new(revoked: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (ca, list) = (
            directory.path().join("ca"),
            directory.path().join("revoked"),
        );
        fs::write(&ca, Pair::numbered(9).line()).unwrap();
        fs::write(&list, revoked).unwrap();
        let files = KeyFiles {
            authorities: vec![ca],
            revoked: Some(list),
        };
        Self {
            trust: KeyTrust::load(files).unwrap(),
            _directory: directory,
        }
    }

    fn grant(&self, keys: &[String], offered: &OfferedKey) -> Result<Grant, String> {
        let record = UserRecord {
            username: "alice".to_owned(),
            public_keys: keys.to_vec(),
            ..UserRecord::default()
        };
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        Granting::new(&self.trust, address, Some(&OnlySftp))
            .grant(&record, offered)
            .map_err(|error| error.to_string())
    }
}

#[derive(Debug)]
struct OnlySftp;

impl ForcedCommands for OnlySftp {
    fn serve(&self, command: &str) -> bool {
        command == "internal-sftp"
    }
}

fn offered(pair: &Pair) -> OfferedKey {
    offered_key("ssh-ed25519", &pair.blob()).unwrap()
}

fn certified(draft: &Draft) -> OfferedKey {
    offered_key(draft.name, &draft.blob()).unwrap()
}

/// What an account with these lines says to its key.
fn grant(options: &[&str]) -> Result<Grant, String> {
    let pair = Pair::numbered(1);
    let line = |options: &&str| format!("{options} {}", pair.line());
    let lines: Vec<_> = options.iter().map(line).collect();
    Server::new("").grant(&lines, &offered(&pair))
}

#[test]
fn a_stored_key_lets_its_owner_in_and_is_told_by_its_comment() {
    let granted = grant(&[""]).unwrap();
    assert!(granted.detail.starts_with("SHA256:") && granted.detail.ends_with(":comment"));
    assert_eq!(granted.restrictions.forced_command(), None);
    assert!(grant(&[]).unwrap_err().contains("not one of the user's"));
}

#[test]
fn from_in_front_of_a_key_is_enforced() {
    for allowed in ["192.0.2.7", "192.0.2.0/24", "192.0.2.*", "*,!198.51.100.1"] {
        assert!(
            grant(&[&format!("from=\"{allowed}\"")]).is_ok(),
            "{allowed}"
        );
    }
    for refused in ["198.51.100.1", "*,!192.0.2.7", "client.example.com"] {
        let error = grant(&[&format!("no-pty,from=\"{refused}\"")]).unwrap_err();
        assert!(error.contains("from"), "{refused}: {error}");
    }
}

#[test]
fn an_expiry_time_in_front_of_a_key_is_enforced() {
    assert!(grant(&["expiry-time=\"99991231235959Z\""]).is_ok());
    for past in ["20200101", "202001011200Z", "20200101000000", "21000230"] {
        let error = grant(&[&format!("expiry-time=\"{past}\"")]).unwrap_err();
        assert!(error.contains("expired"), "{past}: {error}");
    }
}

#[test]
fn an_expiry_time_in_utc_ends_with_its_second() {
    let options = "expiry-time=\"20300101000000Z\"";
    let options = sftpgo_model::public_key::KeyOptions::parse(options).unwrap();
    let time = options.expires.unwrap();
    // 2030-01-01T00:00:00Z.
    let at = 1_893_456_000_000;
    assert!(has_passed(time, UnixMillis(at)) && !has_passed(time, UnixMillis(at - 1)));
}

#[test]
fn a_forced_command_is_kept_if_it_is_served_and_lets_nobody_in_if_not() {
    let granted = grant(&["restrict,command=\"internal-sftp\""]).unwrap();
    assert_eq!(granted.restrictions.forced_command(), Some("internal-sftp"));
    let error = grant(&["command=\"/usr/local/bin/backup\""]).unwrap_err();
    assert!(error.contains("not served"), "{error}");
}

#[test]
fn options_that_are_not_understood_let_nobody_in() {
    for options in [
        "only-on-mondays",
        "from=\"10.0.0.1/8\"",
        "principals=\"alice\"",
    ] {
        let error = grant(&[options]).unwrap_err();
        assert!(error.contains("options"), "{options}: {error}");
    }
    for options in [
        "restrict",
        "no-pty,no-port-forwarding",
        "environment=\"A=B\"",
    ] {
        assert!(grant(&[options]).is_ok(), "{options}");
    }
}

#[test]
fn of_several_lines_with_one_key_the_first_that_allows_the_login_counts() {
    let granted = grant(&["from=\"10.0.0.1\"", "command=\"internal-sftp\"", ""]).unwrap();
    assert_eq!(granted.restrictions.forced_command(), Some("internal-sftp"));
}

#[test]
fn a_line_that_is_no_key_fails_the_attempt() {
    let pair = Pair::numbered(1);
    let keys = ["nonsense".to_owned(), pair.line()];
    let error = Server::new("").grant(&keys, &offered(&pair)).unwrap_err();
    assert!(error.contains("broken"), "{error}");
}

#[test]
fn a_certificate_of_a_trusted_authority_needs_no_stored_key() {
    let server = Server::new("");
    let granted = server.grant(&[], &certified(&Draft::new())).unwrap();
    let expected = format!(
        "{} CA {} serial 5 id \"key id\"",
        super::made::key(&Pair::numbered(1)).fingerprint(),
        super::made::key(&Pair::numbered(9)).fingerprint(),
    );
    assert_eq!(granted.detail, expected);
    let mut stranger = Draft::new();
    stranger.authority = 8;
    let error = server.grant(&[], &certified(&stranger)).unwrap_err();
    assert!(error.contains("not trusted"), "{error}");
    // The key in it is not the account's by that, nor is a certificate of the account's key.
    let pair = Pair::numbered(1);
    assert!(server.grant(&[], &offered(&pair)).is_err());
    assert!(server.grant(&[pair.line()], &certified(&stranger)).is_err());
}

#[test]
fn options_of_a_certificate_restrict_the_login() {
    let server = Server::new("");
    let grant = |critical| {
        let draft = Draft {
            critical,
            ..Draft::new()
        };
        server.grant(&[], &certified(&draft))
    };
    let granted = grant(&[("force-command", "internal-sftp")]).unwrap();
    assert_eq!(granted.restrictions.forced_command(), Some("internal-sftp"));
    assert!(grant(&[("source-address", "192.0.2.0/24")]).is_ok());
    assert!(grant(&[("source-address", "10.0.0.0/8")]).is_err());
    let error = grant(&[("force-command", "/bin/sh")]).unwrap_err();
    assert!(error.contains("not served"), "{error}");
}

#[test]
fn an_authority_of_one_account_signs_for_it_alone_and_does_not_log_in() {
    let server = Server::new("");
    let authority = Pair::numbered(8);
    let lines = |options: &str| vec![format!("{options} {}", authority.line())];
    let mut draft = Draft::new();
    draft.authority = 8;
    assert!(
        server
            .grant(&lines("cert-authority"), &certified(&draft))
            .is_ok()
    );
    assert!(
        server
            .grant(&lines("cert-authority"), &offered(&authority))
            .is_err()
    );
    assert!(server.grant(&lines(""), &certified(&draft)).is_err());
    let from = lines("cert-authority,from=\"10.0.0.1\"");
    assert!(server.grant(&from, &certified(&draft)).is_err());
    // Principals of the line take the place of the user's name.
    let ops = lines("cert-authority,principals=\"ops,admins\"");
    assert!(server.grant(&ops, &certified(&draft)).is_err());
    draft.principals = &["admins"];
    assert!(server.grant(&ops, &certified(&draft)).is_ok());
    assert!(
        server
            .grant(&lines("cert-authority"), &certified(&draft))
            .is_err()
    );
    draft.principals = &[];
    assert!(
        server
            .grant(&lines("cert-authority"), &certified(&draft))
            .is_err()
    );
}

#[test]
fn commands_of_a_line_and_of_a_certificate_must_be_the_same() {
    let server = Server::new("");
    let lines = [format!(
        "cert-authority,command=\"internal-sftp\" {}",
        Pair::numbered(8).line()
    )];
    let grant = |critical| {
        let draft = Draft {
            authority: 8,
            critical,
            ..Draft::new()
        };
        server.grant(&lines, &certified(&draft))
    };
    for critical in [&[][..], &[("force-command", "internal-sftp")]] {
        let granted = grant(critical).unwrap();
        assert_eq!(granted.restrictions.forced_command(), Some("internal-sftp"));
    }
    assert!(grant(&[("force-command", "pwd")]).is_err());
}

#[test]
fn what_was_revoked_lets_nobody_in() {
    let pair = Pair::numbered(1);
    let lines = [pair.line()];
    let draft = Draft::new();
    for (revoked, key, certificate) in [
        (String::new(), true, true),
        (pair.line(), false, false),
        (Pair::numbered(9).line(), true, false),
        (Pair::numbered(7).line(), true, true),
    ] {
        let server = Server::new(&revoked);
        assert_eq!(
            server.grant(&lines, &offered(&pair)).is_ok(),
            key,
            "{revoked}"
        );
        let granted = server.grant(&[], &certified(&draft));
        assert_eq!(granted.is_ok(), certificate, "{revoked}");
    }
}

/// CVE-2026-39831.
#[test]
fn a_security_key_must_be_touched_unless_its_line_says_otherwise() {
    const NOTHING: u8 = 0;
    const TOUCHED: u8 = 1;
    const VERIFIED: u8 = 4;
    let server = Server::new("");
    for sk in SecurityKey::both() {
        let key = || offered_key(sk.name(), &sk.blob()).unwrap();
        for (options, flags, expected) in [
            ("", NOTHING, false),
            ("", VERIFIED, false),
            ("", TOUCHED, true),
            ("no-touch-required", NOTHING, true),
            ("verify-required", TOUCHED, false),
            ("verify-required", TOUCHED | VERIFIED, true),
            ("verify-required,no-touch-required", VERIFIED, true),
            ("verify-required,no-touch-required", NOTHING, false),
        ] {
            let lines = [format!("{options} {}", line(sk.name(), &sk.blob()))];
            let granted = server.grant(&lines, &key()).unwrap();
            let verified = key().verify(b"data", &sk.sign(b"data", flags)).unwrap();
            let checked = granted.check_touch(&verified);
            assert_eq!(checked.is_ok(), expected, "{options:?} {flags}");
        }
    }
}

#[test]
fn a_certified_security_key_must_be_touched_unless_all_say_otherwise() {
    let server = Server::new("");
    for sk in SecurityKey::both() {
        let name = match &sk {
            SecurityKey::Ed25519(_) => "sk-ssh-ed25519-cert-v01@openssh.com",
            SecurityKey::Ecdsa(_) => "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        };
        let draft = |authority, critical, extensions| Draft {
            name,
            key: sk.fields(Default::default()).0,
            authority,
            critical,
            extensions,
            ..Draft::new()
        };
        let lets_in = |lines: &[String], draft: &Draft, flags| {
            let granted = server.grant(lines, &certified(draft)).unwrap();
            let key = certified(draft);
            let verified = key.verify(b"data", &sk.sign(b"data", flags)).unwrap();
            granted.check_touch(&verified).is_ok()
        };
        let plain = draft(9, &[], &[]);
        assert!(lets_in(&[], &plain, 1) && !lets_in(&[], &plain, 0));
        let untouched = draft(9, &[], &["no-touch-required"]);
        assert!(lets_in(&[], &untouched, 0));
        let verified = draft(9, &[("verify-required", "")], &[]);
        assert!(lets_in(&[], &verified, 5) && !lets_in(&[], &verified, 1));
        // An authority of the account: its line has to do without the touch, too.
        let untouched = draft(8, &[], &["no-touch-required"]);
        let lines = |options: &str| [format!("{options} {}", Pair::numbered(8).line())];
        assert!(!lets_in(&lines("cert-authority"), &untouched, 0));
        let both = lines("cert-authority,no-touch-required");
        assert!(lets_in(&both, &untouched, 0));
        assert!(!lets_in(&both, &draft(8, &[], &[]), 0));
        assert!(!lets_in(
            &lines("cert-authority,verify-required"),
            &untouched,
            1
        ));
    }
}

/// What a key cannot show is not taken for shown.
#[test]
fn a_key_that_verifies_nobody_is_refused_where_that_is_required() {
    let pair = Pair::numbered(1);
    let granted = grant(&["verify-required"]).unwrap();
    let verified = offered(&pair).verify(b"data", &pair.sign(b"data")).unwrap();
    assert!(granted.check_touch(&verified).is_err());
    assert!(grant(&[""]).unwrap().check_touch(&verified).is_ok());
}
