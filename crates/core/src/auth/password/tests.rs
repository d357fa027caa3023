//! Vectors of the reference and of the standards for every format, the bounds, and what damaged hashes do.

use proptest::prelude::*;

use super::stored::{StoredHash, UnusableHash, check_stored_hash};

/// Vectors of reference 4.3 and 4.4.
const OF_THE_REFERENCE: [(&str, &str); 8] = [
    (
        "password",
        "$pbkdf2-sha1$150000$DveVjgYUD05R$X6ydQZdyMeOvpgND2nqGR/0GGic=",
    ),
    (
        "password",
        "$pbkdf2-sha256$150000$E86a9YMX3zC7$R5J62hsSq+pYw00hLLPKBbcGXmq7fj5+/M0IFoYtZbo=",
    ),
    (
        "password",
        "$pbkdf2-sha512$150000$dsu7T5R3IaVQ$1hFXPO1ntRBcoWkSLKw+s4sAP09Xtu4Ya7CyxFq64jM9zdUg8eRJVr3NcR2vQgb0W9HHvZaILHsL4Q/Vr6arCg==",
    ),
    (
        "secret",
        "$6$459ead56b72e44bc$uog86fUxscjt28BZxqFBE2pp2QD8P/1e98MNF75Z9xJfQvOckZnQ/1YJqiq1XeytPuDieHZvDAMoP7352ELkO1",
    ),
    ("password", "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05."),
    ("password", "$apr1$OBWLeSme$WoJbB736e7kKxMBIAqilb1"),
    (
        "password1",
        "$2y$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola",
    ),
    ("password2", "$apr1$gLnIkRIf$Xr/6aJfmIrihP4b2N2tcs/"),
];

/// The vectors of the specification of SHA-crypt; hashes as crypt(3) writes them. One asks for fewer rounds
/// than there may be.
const SHA_CRYPT: [(&str, &str); 14] = [
    (
        "Hello world!",
        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
    ),
    (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    (
        "Hello world!",
        "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
    ),
    (
        "Hello world!",
        "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
    ),
    (
        "This is just a test",
        "$5$rounds=5000$toolongsaltstring$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5",
    ),
    (
        "This is just a test",
        "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0",
    ),
    (
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
    ),
    (
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
    ),
    (
        "we have a short salt string but not a short password",
        "$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
    ),
    (
        "we have a short salt string but not a short password",
        "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
    ),
    (
        "a short string",
        "$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD",
    ),
    (
        "a short string",
        "$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1",
    ),
    (
        "the minimum number is still observed",
        "$5$rounds=10$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC",
    ),
    (
        "the minimum number is still observed",
        "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.",
    ),
];

/// RFC 6070, RFC 7914 section 11 (the first half of its keys), and one with bytes that are no base64 in the salt.
const PBKDF2: [(&str, &str); 6] = [
    (
        "password",
        "$pbkdf2-sha1$1$salt$DGDID5YfDnHzqbUkr2ASBi/gN6Y=",
    ),
    (
        "password",
        "$pbkdf2-sha1$2$salt$6mwBTcctb4zNHtkqzh1B8NjeiVc=",
    ),
    (
        "password",
        "$pbkdf2-sha1$4096$salt$SwB5AbdlSJq+rUnZJvch0GWkKcE=",
    ),
    (
        "passwd",
        "$pbkdf2-sha256$1$salt$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLw=",
    ),
    (
        "Password",
        "$pbkdf2-sha256$80000$NaCl$TdzY9guYviGDDO5e8icB+WQaRBjQTAQUrv8Ih2s0q1Y=",
    ),
    (
        "pässword",
        "$pbkdf2-sha512$1000$sält+/=$b2T3dv/FWcLIsoIbdI9yiAmj3QHybkS5GkbyMUuOwOXnUkLv4L6yx8DuSEOz/wSMXG+sfRu/C+Qo6PBM/Gg+pw==",
    ),
];

/// Of jBCrypt, crypt_blowfish, and crypt(3).
const BCRYPT: [(&str, &str); 5] = [
    (
        "a",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    ),
    (
        "abcdefghijklmnopqrstuvwxyz",
        "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.",
    ),
    (
        "U*U",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    ),
    (
        "pässword",
        "$2b$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
    ),
    (
        "pässword",
        "$2y$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
    ),
];

/// Of crypt(3) and openssl: lengths and salts that are not usual.
const MD5_CRYPT: [(&str, &str); 8] = [
    ("pässword", "$1$saltstri$vlBzkRLSci6LxC0.pos/v."),
    ("pässword", "$1$$ufV4aL5a3IqHNL8A2yK180"),
    ("pässword", "$1$ab$zSxXTAOa3MsUL6fbBrrN71"),
    (SEVENTY, "$1$ab$xYxcg6Ku8Fq4wHdUunBv1."),
    ("pässword", "$apr1$saltstri$dLnI87.Ys8hSAMoK6Ewis."),
    ("pässword", "$apr1$$it/09PCdVcBgW6QMHHse1."),
    (SEVENTY, "$apr1$xx$BWxVxxFYbBjkrwT.u3gqk1"),
    (
        "pässword",
        "$1$saltstringthatistoolong$vlBzkRLSci6LxC0.pos/v.",
    ),
];

const SEVENTY: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Of the reference implementation of Argon2.
const ARGON2ID: [(&str, &str); 3] = [
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ),
    (
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ),
];

/// Of crypt(3) of libxcrypt 4.4, by `python3 -c 'import crypt; print(crypt.crypt(password, setting))'` on Debian 12: what
/// `mkpasswd -m yescrypt` chooses, then no salt, the longest salt, several lanes, more passes, and the two older flavours.
const YESCRYPT: [(&str, &str); 12] = [
    (
        "password",
        "$y$j9T$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
    ),
    (
        "pässword",
        "$y$j9T$abcdefghijklmnopqrstu0$VOmcqkPYu.8BZyusF0/IkmnReXBXlcAVOCgdO8HM4VD",
    ),
    (
        "pässword",
        "$y$j75$F5Jx5fExrKuPp53xLKQ..1$bwYVuyUbuLcejC2qyuNUGzrZCPh6ah9pprbZHFC64e/",
    ),
    (
        "pässword",
        "$y$j75$$wgCTpxvGVMCq.yQwijSVuYFZkzhToM/BGEKqkmXVszC",
    ),
    (
        "pässword",
        "$y$j75$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz....$vQW4WQC7jwIPvihxA9nPKQlenk1CNFtgGR2OtGABAy1",
    ),
    (
        "pässword",
        "$y$j85.0$F5Jx5fEx$dk/MtvNEdFB2obirJVEu3P5pQi//M71N53rmsdLZ4I6",
    ),
    (
        "pässword",
        "$y$j85/.$F5Jx5fEx$e9p7X1Y77KWl1C34z3EAmshffVD.erLM4QVVTjN7llB",
    ),
    (
        "pässword",
        "$y$j950/0$F5Jx5fEx$vZFlNXtc4jwaMiov7mMhMUaPf.l0IrtYeRTTOWroV7/",
    ),
    (
        "pässword",
        "$y$j7D0..$salt$J/hx7wOUMUjp4Rt5HHGiiWz898coV.2soGUiauahnkC",
    ),
    (
        "pässword",
        "$y$.6.$F5Jx$zECBAfDjc/vfwSBH04Zn1Ho5VPPDMk1b5Ys0fBlo2Q0",
    ),
    (
        "pässword",
        "$y$/85$F5Jx5fEx$JOY6oMXplKL2ZSX5PpBfUSE/a./ZvHfvM8afbS2JCy.",
    ),
    (
        "pässword",
        "$y$j8.$F5Jx$bT82NypsGNXIsBd5mH2k6L3uU3DTcJJ7snnurv8Jv0A",
    ),
];

/// Likewise: also without a salt, with two lanes and a `$` in the salt, and with large blocks.
const SCRYPT: [(&str, &str); 5] = [
    (
        "pleaseletmein",
        "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
    ),
    (
        "pässword",
        "$7$26..../....SodiumChloride$uPXICDrmw6ILswW.Mowqcsw3NtZFqJlLU4XaBkLG2yC",
    ),
    (
        "pässword",
        "$7$46..../....$bEJMaZDAm/L/g8jeI.pBp2CNuzWVLs/Jo1OY/Cvo/CC",
    ),
    (
        "pässword",
        "$7$46....0....a$b$XbPLqT2rwrzZPcEDacwySOd9snl57z0eHq7UgqQqvr6",
    ),
    (
        "pässword",
        "$7$BU..../....abcdefghijklmnopqrstuv$PSHuzzKlt0Kc/i5v1Bylh82z96V1TllnrtkY/NvzOFA",
    ),
];

/// One of each format that costs next to nothing.
const CHEAP: [(&str, &str); 12] = [
    (
        "pässword",
        "$y$j33$F5Jx$B3Qmtk8TNzM85MdBBtenadyRJkW66KCQzzkJXLvMGOA",
    ),
    (
        "pässword",
        "$7$26..../....SodiumChloride$uPXICDrmw6ILswW.Mowqcsw3NtZFqJlLU4XaBkLG2yC",
    ),
    (
        "password",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ),
    (
        "pässword",
        "$2a$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
    ),
    (
        "pässword",
        "$2b$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
    ),
    (
        "pässword",
        "$pbkdf2-sha1$3$salt$EoevI93crGk9JBk8hfzdUj8H8FA=",
    ),
    (
        "pässword",
        "$pbkdf2-sha256$3$salt$2qA+yhhx7eNlSmKIxTuLwAbJt+msAVR/nXx0nJVYGXw=",
    ),
    (
        "pässword",
        "$pbkdf2-sha512$1000$sält+/=$b2T3dv/FWcLIsoIbdI9yiAmj3QHybkS5GkbyMUuOwOXnUkLv4L6yx8DuSEOz/wSMXG+sfRu/C+Qo6PBM/Gg+pw==",
    ),
    ("pässword", "$1$ab$zSxXTAOa3MsUL6fbBrrN71"),
    ("pässword", "$apr1$saltstri$dLnI87.Ys8hSAMoK6Ewis."),
    (
        "pässword",
        "$5$sa_lt-x$8TsKZMAMq6q/jW77IdkzIUXtMHMKLZ7nofOacGkDNbA",
    ),
    (
        "pässword",
        "$6$$WY0qjKkg5K5UfSBHxIaCVl..PuC6qp70gxpFLcmHYVFc6LLD62RHixM6HjIX2H0k1/hBILByAPlYrzULcdYXx.",
    ),
];

fn matches(password: &str, stored: &str) -> bool {
    StoredHash::parse(stored).is_ok_and(|hash| hash.matches(password.as_bytes()))
}

/// The password, and neither another one nor the hash itself.
fn assert_only_the_password_matches(vectors: &[(&str, &str)]) {
    for (password, stored) in vectors {
        assert!(matches(password, stored), "{stored}");
        assert!(!matches(stored, stored), "{stored}");
        assert!(!matches(&format!("{password} "), stored), "{stored}");
        assert!(!matches("", stored), "{stored}");
    }
}

#[test]
fn vectors_of_the_reference_match() {
    assert_only_the_password_matches(&OF_THE_REFERENCE);
}

#[test]
fn vectors_of_argon2id_match() {
    assert_only_the_password_matches(&ARGON2ID);
}

#[test]
fn vectors_of_sha_crypt_match() {
    assert_only_the_password_matches(&SHA_CRYPT);
}

#[test]
fn vectors_of_pbkdf2_match() {
    assert_only_the_password_matches(&PBKDF2);
}

#[test]
fn vectors_of_bcrypt_match() {
    assert_only_the_password_matches(&BCRYPT);
}

#[test]
fn vectors_of_md5_crypt_match() {
    assert_only_the_password_matches(&MD5_CRYPT);
}

#[test]
fn vectors_of_yescrypt_match() {
    assert_only_the_password_matches(&YESCRYPT);
}

#[test]
fn vectors_of_scrypt_match() {
    assert_only_the_password_matches(&SCRYPT);
}

#[test]
fn the_memory_of_a_check_is_known_before_it_begins() {
    for (stored, kibibytes) in [
        (ARGON2ID[2].1, 65_536),
        (YESCRYPT[0].1, 16_384),
        (SCRYPT[0].1, 16_384),
        (BCRYPT[0].1, 0),
    ] {
        let memory = StoredHash::parse(stored).map(|hash| hash.memory());
        // Some tables come on top.
        let known = memory.is_ok_and(|memory| (kibibytes..kibibytes + 64).contains(&memory));
        assert!(known, "{stored}");
    }
}

#[test]
fn cheap_hashes_of_every_format_match() {
    assert_only_the_password_matches(&CHEAP);
}

#[test]
fn of_a_password_bcrypt_sees_72_bytes_and_no_zeros() {
    let stored = "$2b$04$abcdefghijklmnopqrstuuwurWIdVVT4m5pTArtqnFNM69nySdHj.";
    for length in [72, 73, 80] {
        assert!(matches(&"y".repeat(length), stored), "{length}");
    }
    assert!(!matches(&"y".repeat(71), stored));
    // In the circle of the key it would be the same as `a`.
    assert!(!matches("a\0a", BCRYPT[0].1));
}

#[test]
fn a_password_with_zeros_at_its_end_is_another_one() {
    for (password, stored) in &CHEAP {
        for zeros in ["\0", "\0\0\0"] {
            assert!(!matches(&format!("{password}{zeros}"), stored), "{stored}");
        }
    }
}

#[test]
fn noise_in_unused_bits_of_a_bcrypt_salt_is_ignored() {
    let stored = "$2b$04$abcdefghijklmnopqrstu8m174eFeoTj0DHmtuueFaS3Wde4P7wHG";
    assert!(matches("pässword", stored));
}

#[test]
fn a_hash_that_costs_too_much_is_not_computed() {
    let key = |length| "A".repeat(length);
    let (key22, key27, key31, key43, key86) = (key(22), key(27), key(31), key(43), key(86));
    let salt = "AAAAAAAAAAAAAAAAAAAAAA";
    let costly = [
        format!("$argon2id$v=19$m=262145,t=1,p=1${salt}${key43}"),
        format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1${salt}${key43}"),
        format!("$argon2id$v=19$m=262144,t=9,p=1${salt}${key43}"),
        format!("$argon2id$v=19$m=8,t=1025,p=1${salt}${key43}"),
        format!("$argon2id$v=19$m=65536,t=1,p=256${salt}${key43}"),
        format!("$2a$17${key22}{key31}"),
        format!("$2b$31${key22}{key31}"),
        format!("$2y$99${key22}{key31}"),
        format!("$pbkdf2-sha1$5000001$salt${key27}="),
        format!("$pbkdf2-sha256$99999999999999999999999$salt${key43}="),
        format!("$pbkdf2-sha512$4294967296$salt${key86}=="),
        format!("$5$rounds=1000001$salt${key43}"),
        format!("$6$rounds=999999999$salt${key86}"),
        format!("$6$rounds=18446744073709551616$salt${key86}"),
        // 4 KiB blocks: 2^16 are 256 MiB.
        format!("$y$jDT$salt${key43}"),
        format!("$y$jiT$salt${key43}"),
        // 16 MiB, 100 passes.
        format!("$y$j9T/kn$salt${key43}"),
        // The most that can be written.
        format!("$y$jxzzzzzzzzz$salt${key43}"),
        format!("$y$j75.zzzzzz$salt${key43}"),
        format!("$7$IU..../....salt${key43}"),
        format!("$7$zU..../....salt${key43}"),
        format!("$7$2zzzzz/....salt${key43}"),
        format!("$7$26....zzzzzsalt${key43}"),
        format!("$7$C6....z/...salt${key43}"),
    ];
    for stored in &costly {
        let refused = StoredHash::parse(stored).err();
        assert!(
            matches!(refused, Some(UnusableHash::TooCostly { asked, bound, .. }) if asked > bound),
            "{stored}: {refused:?}"
        );
    }
}

#[test]
fn a_hash_at_the_bound_is_taken() {
    let key = |length| "A".repeat(length);
    let salt = "AAAAAAAAAAAAAAAAAAAAAA";
    for stored in [
        format!("$argon2id$v=19$m=262144,t=8,p=255${salt}${}", key(43)),
        format!("$2a$16${}", key(53)),
        format!("$pbkdf2-sha1$5000000$salt${}=", key(27)),
        format!("$5$rounds=1000000$salt${}", key(43)),
        format!("$6$rounds=1000000$salt${}", key(86)),
        // 4 KiB blocks: 2^15 are 128 MiB, the next ones below what a table more would exceed.
        format!("$y$jCT$salt${}", key(43)),
        format!("$7$DU..../....salt${}", key(43)),
    ] {
        assert!(StoredHash::parse(&stored).is_ok(), "{stored}");
    }
}

#[test]
fn what_is_no_known_hash_never_matches() {
    for stored in [
        "",
        "plain",
        "$",
        "$argon2id",
        "$argon2i$v=19$m=64,t=2,p=2$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$2$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola",
        "$2x$05$bcHSED7aO1cfLto6ZdDBOOKzlwftslVhtpIkRhAtSa4GuLmk5mola",
        "$gy$j9T$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        " $1$ab$zSxXTAOa3MsUL6fbBrrN71",
    ] {
        let refused = StoredHash::parse(stored).err();
        assert_eq!(refused, Some(UnusableHash::Unknown), "{stored}");
        assert!(!matches(stored, stored));
    }
}

#[test]
fn what_is_not_as_its_prefix_promises_is_malformed() {
    let long = format!("$1${}$zSxXTAOa3MsUL6fbBrrN71", "a".repeat(1024));
    for stored in [
        "$argon2id$",
        "$argon2id$m=64,t=2,p=2$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=16$m=64,t=2,p=2$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$t=2,m=64,p=2$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=0,p=2$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=7,t=2,p=1$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=2,p=2,x=1$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=2,p=2$c29tZQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=2,p=2$c29tZSBzYWx0IGhlcmU$",
        "$argon2id$v=19$m=64,t=2,p=2$c29tZSBzYWx0IGhlcmU$AAAAAAAAAAAAAAAAAAAAAA$",
        "$2a$03$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
        "$2a$+4$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
        "$2a$4$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG",
        "$2a$04$äöüßghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wH",
        "$2a$04$bcdefghijklmnopqrstuüm174eFeoTj0DHmtuueFaS3Wde4P7wHG",
        "$pbkdf2-sha1$0$salt$DGDID5YfDnHzqbUkr2ASBi/gN6Y=",
        "$pbkdf2-sha1$-1$salt$DGDID5YfDnHzqbUkr2ASBi/gN6Y=",
        "$pbkdf2-sha1$1$salt$DGDID5YfDnHzqbUkr2ASBi/gN6Y",
        "$pbkdf2-sha256$1$salt$DGDID5YfDnHzqbUkr2ASBi/gN6Y=",
        "$pbkdf2-sha1$1$sa$lt$DGDID5YfDnHzqbUkr2ASBi/gN6Y=",
        "$1$zSxXTAOa3MsUL6fbBrrN71",
        "$apr1$",
        "$5$rounds=$salt$8TsKZMAMq6q/jW77IdkzIUXtMHMKLZ7nofOacGkDNbA",
        "$5$rounds=1000",
        "$6$sa_lt-x$8TsKZMAMq6q/jW77IdkzIUXtMHMKLZ7nofOacGkDNbA",
        "$y$j9T$abcdefghijklmnopqrstu0",
        "$y$j9T$abcdefghijklmnopqrstu0$v.m2x5",
        "$y$j9T$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6$",
        "$y$$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        "$y$j9T!$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        "$y$j9$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        "$y$k9T$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        "$y$j9T1/$abcdefghijklmnopqrstu0$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        "$y$j9T$ab$v.m2x5/6XcgH.GBv1OwI1H0ONwMgqKqaIx3FSduhez6",
        "$7$C6..../...$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$7$C...../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$7$C6.........SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$7$C6..../....SodiumChloride",
        &long,
    ] {
        let refused = StoredHash::parse(stored).err();
        assert_eq!(refused, Some(UnusableHash::Malformed), "{stored}");
    }
}

fn prefixes() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$2a$",
        "$2b$04$",
        "$2y$",
        "$pbkdf2-sha1$",
        "$pbkdf2-sha256$1$",
        "$pbkdf2-sha512$1$salt$",
        "$1$",
        "$apr1$",
        "$5$",
        "$6$rounds=",
        "$y$",
        "$y$j75$",
        "$7$",
        "$7$26..../....",
    ])
}

proptest! {
    /// Also not the characters that the formats are made of, nor others.
    #[test]
    fn no_stored_text_panics_or_matches_itself(
        prefix in prefixes(),
        rest in prop_oneof![
            "[$=,A-Za-z0-9./+]{0,120}",
            "[$=,mtpv0-9]{0,40}",
            "[./A-Za-z0-9]{22}",
            "[./A-Za-z0-9]{53}",
            "\\PC{0,70}",
        ],
    ) {
        let stored = format!("{prefix}{rest}");
        prop_assert!(!matches(&stored, &stored));
    }

    #[test]
    fn a_part_of_a_hash_never_matches((password, stored) in proptest::sample::select(&CHEAP[..]), at in any::<proptest::sample::Index>()) {
        let cuts: Vec<usize> = stored.char_indices().map(|(at, _)| at).collect();
        let part = &stored[..*at.get(&cuts)];
        prop_assert!(!matches(password, part), "{}", part);
    }

    /// Whatever stands in its place, at the end of the key or within.
    #[test]
    fn a_key_with_another_character_never_matches(
        (password, stored) in proptest::sample::select(&CHEAP[..]),
        back in 1..=22_usize,
        other in "[./A-Za-z0-9+=$ ä]",
    ) {
        let at = stored.len() - back;
        let changed = format!("{}{other}{}", &stored[..at], &stored[at + 1..]);
        prop_assume!(changed != stored);
        prop_assert!(!matches(password, &changed), "{}", changed);
    }

    #[test]
    fn another_password_never_matches(
        (password, stored) in proptest::sample::select(&CHEAP[..]),
        other in prop_oneof!["\\PC{0,20}", "p[aä]ssword.{0,3}", "p[aä]sswor[dt]"],
    ) {
        prop_assume!(other != password);
        prop_assert!(!matches(&other, stored));
    }
}

#[test]
fn whether_a_hash_can_be_checked_is_known_without_a_password() {
    check_stored_hash("$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.").unwrap();
    // As pure-pw makes them on a fast machine.
    check_stored_hash(
        "$argon2id$v=19$m=8192,t=1023,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    )
    .unwrap();
    for (stored, reason) in [
        ("abJnggxhB/yWI", "its format is not known"),
        ("$6$!", "it is malformed"),
        (
            "$argon2id$v=19$m=16384,t=1023,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "over the bound",
        ),
        (
            "$2a$31$ajq8Q7fbtFRQvXpdCq7Jcuy.Rx1h/L4J60Otx.gyNLbAYctGMJ9tK",
            "over the bound",
        ),
    ] {
        let said = check_stored_hash(stored).unwrap_err();
        assert!(said.contains(reason), "{stored}: {said}");
    }
}
