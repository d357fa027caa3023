//! Listing replies stay within what clients take, and their long names are what FileZilla reads.

use bytes::{BufMut, BytesMut};

use super::super::longname::mode_text;
use super::super::*;
use super::reply;

const ATTRS: Attrs = Attrs {
    size: Some(1),
    owner: Some((2, 3)),
    permissions: Some(0o100_644),
    times: Some((4, 5)),
};

fn entry(filename: &[u8]) -> NameEntry<'_> {
    NameEntry {
        filename,
        longname: b"long",
        attrs: ATTRS,
    }
}

/// The entries of the packet that a builder made, checked for its length.
fn entries(packet: BytesMut) -> Vec<Name> {
    assert!(packet.len() <= MAX_NAME_REPLY);
    let Reply::Name { id: 7, entries } = reply(packet) else {
        panic!("a NAME packet was built");
    };
    entries
}

#[test]
fn a_reply_takes_a_hundred_entries() {
    let mut builder = NameBuilder::new(BytesMut::new(), 7);
    assert!(builder.is_empty());
    for index in 0..100 {
        assert!(!builder.is_full());
        let name = index.to_string();
        assert_eq!(builder.push(&entry(name.as_bytes())), NamePush::Added);
    }
    assert!(builder.is_full());
    assert_eq!(builder.push(&entry(b"100")), NamePush::Full);
    assert_eq!(builder.len(), 100);
    let entries = entries(builder.finish());
    assert_eq!(entries.len(), 100);
    assert_eq!(entries[99].filename, "99");
}

#[test]
fn a_reply_takes_64_kib() {
    let name = [b'n'; 1000];
    let mut builder = NameBuilder::new(BytesMut::new(), 7);
    let mut added = 0;
    while builder.push(&entry(&name)) == NamePush::Added {
        added += 1;
    }
    // 13 bytes of header; 4 + 1000, 4 + 4 and 32 for each entry.
    assert_eq!(added, (65_536 - 13) / 1044);
    assert_eq!(builder.push(&entry(&name)), NamePush::Full);
    // A shorter one still fits.
    assert_eq!(builder.push(&entry(b"short")), NamePush::Added);
    assert_eq!(entries(builder.finish()).len(), added + 1);
}

#[test]
fn an_entry_that_no_reply_can_take_is_told_apart() {
    let name = vec![b'n'; MAX_NAME_REPLY];
    let mut builder = NameBuilder::new(BytesMut::new(), 7);
    assert_eq!(builder.push(&entry(&name)), NamePush::Oversize);
    assert_eq!(builder.push(&entry(b"a")), NamePush::Added);
    assert_eq!(builder.push(&entry(&name)), NamePush::Oversize);
    assert_eq!(entries(builder.finish()).len(), 1);
}

#[test]
fn the_names_that_one_entry_may_have_are_those_that_clients_decode() {
    let name = vec![b'n'; MAX_STRING + 1];
    let mut builder = NameBuilder::new(BytesMut::new(), 7);
    assert_eq!(builder.push(&entry(&name)), NamePush::Oversize);
    assert_eq!(builder.push(&entry(&name[..MAX_STRING])), NamePush::Added);
    assert_eq!(entries(builder.finish()).len(), 1);
}

#[test]
fn a_builder_leaves_earlier_packets_alone() {
    let mut out = BytesMut::new();
    encode_status(&mut out, 1, StatusCode::Ok, "");
    let before = out.clone();
    let mut builder = NameBuilder::new(out, 7);
    assert_eq!(builder.push(&entry(b"a")), NamePush::Added);
    assert_eq!(builder.abandon(), before);
    let mut builder = NameBuilder::new(before.clone(), 7);
    let written = builder.push_with(b"a", &ATTRS, |out| out.put_slice(b"long"));
    assert_eq!(written, NamePush::Added);
    let mut both = builder.finish();
    let name = both.split_off(before.len());
    assert_eq!(both, before);
    let mut plain = BytesMut::new();
    encode_name(&mut plain, 7, &[entry(b"a")]);
    assert_eq!(name, plain);
}

const TIME: LongNameTime = LongNameTime {
    month: 2,
    day: 9,
    hour: 7,
    minute: 5,
    year: 2020,
    recent: true,
};

fn line(long: LongName<'_>) -> String {
    let mut out = BytesMut::new();
    long.write(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

const FILE: LongName<'_> = LongName {
    mode: 0o100_644,
    links: 1,
    uid: 1000,
    gid: 0,
    size: 1234,
    time: TIME,
    name: b"a file",
};

#[test]
fn a_long_name_has_the_columns_of_ls() {
    let expected = "-rw-r--r--    1 1000     0            1234 Feb  9 07:05 a file";
    assert_eq!(line(FILE), expected);
}

#[test]
fn a_long_name_of_an_old_file_shows_the_year() {
    let time = LongNameTime {
        month: 12,
        day: 31,
        recent: false,
        ..TIME
    };
    let expected = "-rw-r--r--    1 1000     0            1234 Dec 31  2020 a file";
    assert_eq!(line(LongName { time, ..FILE }), expected);
}

#[test]
fn wide_values_push_their_column_apart_and_are_not_cut() {
    let long = LongName {
        mode: 0o040_755,
        links: 12345,
        uid: u32::MAX,
        gid: u32::MAX,
        size: u64::MAX,
        ..FILE
    };
    let expected =
        "drwxr-xr-x 12345 4294967295 4294967295 18446744073709551615 Feb  9 07:05 a file";
    assert_eq!(line(long), expected);
}

#[test]
fn a_long_name_keeps_the_bytes_of_the_name() {
    let mut out = BytesMut::new();
    let name = &[0xff, b'x'];
    LongName { name, ..FILE }.write(&mut out);
    assert!(out.ends_with(&[b' ', 0xff, b'x']));
}

#[test]
fn an_impossible_date_is_shown_somehow() {
    for month in [0, 13, 255] {
        let time = LongNameTime {
            month,
            day: 255,
            hour: 255,
            minute: 255,
            ..TIME
        };
        assert!(line(LongName { time, ..FILE }).contains("Jan 255 55:55"));
    }
}

#[test]
fn a_mode_is_shown_as_ls_does() {
    for (mode, expected) in [
        (0o100_644, "-rw-r--r--"),
        (0o040_755, "drwxr-xr-x"),
        (0o120_777, "lrwxrwxrwx"),
        (0o060_660, "brw-rw----"),
        (0o020_666, "crw-rw-rw-"),
        (0o010_600, "prw-------"),
        (0o140_700, "srwx------"),
        (0o041_777, "drwxrwxrwt"),
        (0o041_776, "drwxrwxrwT"),
        (0o106_755, "-rwsr-sr-x"),
        (0o106_644, "-rwSr-Sr--"),
        (0o000, "----------"),
    ] {
        assert_eq!(std::str::from_utf8(&mode_text(mode)).unwrap(), expected);
    }
}
