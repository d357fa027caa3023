//! Files with colons.

use super::{KEY, context, found, notes, user};
use crate::Effect::{Changed, Disabled, NotCarried};
use crate::{
    Import, KeyFile, LinuxFiles, NO_PASSWORD, ProftpdFiles, UidRange, linux, proftpd, pure_ftpd,
};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    alice:x:1000:1001:Alice,,,:/home/alice:/bin/bash\n\
    bob:x:1001:1001::/home/bob:/usr/sbin/nologin\n\
    carol:x:1002:1001::/home/carol:/bin/sh\n\
    dave:x:1003:1001::/home/dave:/bin/sh\n\
    erin:x:1004:1001::/home/erin:/bin/sh\n\
    frank:$1$salt$hash:70000:1001::/home/frank:/bin/sh\n\
    grace:x:1006:1001::/home/grace:/bin/sh\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n\
    +::::::\nbroken:x:1\n";
const SHADOW: &str = "root:*:19000:0:99999:7:::\n\
    alice:$y$j9T$salt$hash:19000:0:99999:7:::\n\
    bob:$6$salt$hash:0:0:90:7::30000:\n\
    carol:!$6$salt$hash:19000:0:99999:7:::\n\
    dave:!:19000:0:99999:7::1:\n\
    erin:abJnggxhB/yWI:19000:0:99999:7:::\n\
    grace::19000:0:99999:7:::\n";

fn read_linux(range: UidRange) -> Import {
    let files = LinuxFiles {
        passwd: PASSWD.as_bytes(),
        shadow: Some(SHADOW.as_bytes()),
    };
    let mut keys = |name: &str, home: &str| {
        let content = match name {
            "dave" => {
                Ok(format!("# mine\n\n{KEY}\nno key\nunheard-of {KEY}\n{KEY}\n").into_bytes())
            }
            "carol" => Err("permission denied".to_owned()),
            _ => return Vec::new(),
        };
        vec![KeyFile {
            name: format!("{home}/.ssh/authorized_keys"),
            content,
        }]
    };
    linux(files, &range, &mut keys, context()).unwrap()
}

#[test]
fn people_come_with_password_home_and_owner_and_system_users_do_not() {
    let import = read_linux(UidRange::default());
    let names: Vec<_> = import.users.iter().map(|user| user.name.as_str()).collect();
    let expected = ["alice", "bob", "carol", "dave", "erin", "grace", "line 11"];
    assert_eq!(names, expected);
    let alice = user(&import, "alice");
    assert_eq!(alice.password, "$y$j9T$salt$hash");
    assert_eq!((alice.uid, alice.gid, alice.status), (1000, 1001, 1));
    assert_eq!(alice.home_dir, "/home/alice");
    assert_eq!(alice.permissions["/"], ["*"]);
    assert_eq!(found(&import, "alice").notes, []);
    assert!(found(&import, "line 11").user.is_err());
    let about: Vec<_> = import
        .notes
        .iter()
        .map(|note| note.about.as_str())
        .collect();
    assert_eq!(about, ["system users", "NIS"]);
}

#[test]
fn an_owner_that_cannot_be_set_is_told_of() {
    let import = read_linux(UidRange(70_000..=70_000));
    let frank = user(&import, "frank");
    assert_eq!((frank.uid, frank.password.as_str()), (0, "$1$salt$hash"));
    assert_eq!(notes(found(&import, "frank")), [(NotCarried, "uid")]);
}

#[test]
fn days_become_milliseconds_and_ages_of_passwords_are_told_of() {
    let import = read_linux(UidRange::default());
    let bob = user(&import, "bob");
    assert_eq!((bob.expiration_date, bob.status), (30_000 * 86_400_000, 1));
    let expected = [
        (NotCarried, "password age"),
        (NotCarried, "password age"),
        (Changed, "shell"),
    ];
    assert_eq!(notes(found(&import, "bob")), expected);
    assert_eq!(user(&import, "dave").expiration_date, 86_400_000);
    assert!(notes(found(&import, "dave")).contains(&(Changed, "expired")));
}

#[test]
fn a_locked_password_is_kept_and_the_user_disabled() {
    let import = read_linux(UidRange::default());
    let carol = user(&import, "carol");
    assert_eq!((carol.password.as_str(), carol.status), ("$6$salt$hash", 0));
    let expected = [(NotCarried, "keys"), (Disabled, "locked")];
    assert_eq!(notes(found(&import, "carol")), expected);
}

#[test]
fn a_user_without_a_password_that_can_be_checked_has_its_keys_or_is_disabled() {
    let import = read_linux(UidRange::default());
    let dave = user(&import, "dave");
    assert_eq!((dave.password.as_str(), dave.status), ("", 1));
    assert_eq!(
        dave.public_keys,
        [KEY.to_owned(), format!("unheard-of {KEY}")]
    );
    let keys = notes(found(&import, "dave"));
    let about_keys = keys.iter().filter(|(_, about)| *about == "keys").count();
    assert_eq!(
        about_keys, 2,
        "a line that is no key, and options that are not known"
    );
    for name in ["erin", "grace"] {
        let user = user(&import, name);
        assert_eq!(
            (user.password.as_str(), user.status),
            (NO_PASSWORD, 0),
            "{name}"
        );
        assert_eq!(
            notes(found(&import, name)),
            [(Disabled, "password")],
            "{name}"
        );
    }
    let erin = &found(&import, "erin").notes[0].text;
    assert!(
        erin.contains("a DES hash") && !erin.contains("abJn"),
        "{erin}"
    );
}

#[test]
fn a_file_without_users_is_refused() {
    for text in ["", "\n# only this\n", "{\"users\":[]}", "\u{0}\u{1}"] {
        let files = LinuxFiles {
            passwd: text.as_bytes(),
            shadow: None,
        };
        let read = linux(
            files,
            &UidRange::default(),
            &mut |_, _| Vec::new(),
            context(),
        );
        assert!(read.is_err(), "{text:?}");
        let files = ProftpdFiles {
            users: text.as_bytes(),
            groups: None,
        };
        assert!(
            proftpd(files, &mut |_, _| Vec::new(), context()).is_err(),
            "{text:?}"
        );
        assert!(pure_ftpd(text.as_bytes(), context()).is_err(), "{text:?}");
    }
}

#[test]
fn users_of_proftpd_come_with_their_hashes_and_groups_are_told_of() {
    let users = "ann:$6$salt$hash:2001:2001:Ann:/srv/ann:/bin/false\n\
        ben:!$1$salt$hash:2002:2002::/srv/ben:/bin/false\nshort:x\n";
    let files = ProftpdFiles {
        users: users.as_bytes(),
        groups: Some(b"own:x:2001:ann\nstaff:x:2500:ann,ben\n"),
    };
    let import = proftpd(files, &mut |_, _| Vec::new(), context()).unwrap();
    let ann = user(&import, "ann");
    assert_eq!((ann.password.as_str(), ann.uid), ("$6$salt$hash", 2001));
    assert_eq!(notes(found(&import, "ann")), [(NotCarried, "groups")]);
    assert_eq!(user(&import, "ben").status, 0);
    assert!(notes(found(&import, "ben")).contains(&(Disabled, "locked")));
    assert!(found(&import, "line 3").user.is_err());
}

#[test]
fn limits_of_pure_ftpd_come_in_the_units_of_accounts() {
    let text = "joe:$argon2id$v=19$x:1001:1002::/srv/joe/./:204800:1:1:2:3:50:10485760:127.0.0.1::\
        10.0.0.0/8,192.0.2.7:10.1.0.0/16:900-1800\n";
    let import = pure_ftpd(text.as_bytes(), context()).unwrap();
    let joe = user(&import, "joe");
    assert_eq!(joe.home_dir, "/srv/joe");
    assert_eq!((joe.upload_bandwidth, joe.download_bandwidth), (205, 1));
    assert_eq!(
        (joe.max_sessions, joe.quota_files, joe.quota_size),
        (3, 50, 10_485_760)
    );
    assert_eq!(joe.filters.allowed_ip, ["10.0.0.0/8", "192.0.2.7/32"]);
    assert_eq!(joe.filters.denied_ip, ["10.1.0.0/16"]);
    let expected = [
        (NotCarried, "ratios"),
        (NotCarried, "local addresses"),
        (NotCarried, "times"),
    ];
    assert_eq!(notes(found(&import, "joe")), expected);
    assert_eq!(joe.status, 1);
}

#[test]
fn a_filter_that_is_not_understood_lets_nobody_in() {
    let text = "a:$6$salt$hash:1001:1001::/srv/a::::::::::office.example.com,10.0.0.0/33:\n\
        b:$6$salt$hash:1001:1001::/srv/b:fast\n";
    let import = pure_ftpd(text.as_bytes(), context()).unwrap();
    assert_eq!(user(&import, "a").status, 0);
    assert_eq!(
        notes(found(&import, "a")),
        [(Disabled, "allowed clients"); 2]
    );
    assert_eq!(user(&import, "b").status, 0);
}
