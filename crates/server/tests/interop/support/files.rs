//! Files to move, and comparisons of what arrived.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rand::{RngCore, SeedableRng, rngs::SmallRng};

/// Around the limits of packets, requests and buffers.
pub(crate) const SIZES: [u64; 9] = [
    0,
    1,
    32_767,
    32_768,
    65_537,
    261_120,
    261_121,
    1_000_003,
    5 << 20,
];

const BLOCK: usize = 1 << 16;

/// Writes a file of random bytes, the same for the same size.
pub(crate) fn random_file(path: &Path, size: u64) {
    let mut random = SmallRng::seed_from_u64(size);
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut block = vec![0; BLOCK];
    let mut left = size;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        random.fill_bytes(&mut block[..length]);
        file.write_all(&block[..length]).unwrap();
        left -= length as u64;
    }
    file.flush().unwrap();
}

/// Makes `target` the first `length` bytes of `source`, as an interrupted transfer leaves it.
pub(crate) fn beginning(source: &Path, target: &Path, length: u64) {
    let mut start = File::open(source).unwrap().take(length);
    std::io::copy(&mut start, &mut File::create(target).unwrap()).unwrap();
}

#[track_caller]
pub(crate) fn assert_same(one: &Path, other: &Path) {
    let open = |path: &Path| {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (
            file.metadata().unwrap().len(),
            BufReader::with_capacity(BLOCK, file),
        )
    };
    let ((size, mut left), (other_size, mut right)) = (open(one), open(other));
    let names = || format!("{} and {}", one.display(), other.display());
    assert_eq!(size, other_size, "sizes of {}", names());
    let (mut a, mut b) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut at = 0;
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(BLOCK).min(BLOCK);
        left.read_exact(&mut a[..length]).unwrap();
        right.read_exact(&mut b[..length]).unwrap();
        assert!(
            a[..length] == b[..length],
            "{} differ after byte {at}",
            names()
        );
        at += length as u64;
    }
}

/// Names that clients or servers have stumbled over.
pub(crate) fn odd_names() -> Vec<&'static [u8]> {
    let mut names = utf8_names();
    names.push(b"latin-\xe9\xff");
    names
}

/// Those of [`odd_names`] that every client can handle.
pub(crate) fn utf8_names() -> Vec<&'static [u8]> {
    vec![
        b"with space",
        " leading and trailing ".as_bytes(),
        "k\u{e4}se-\u{65e5}\u{672c}\u{8a9e}-\u{1f642}".as_bytes(),
        b"it's \"quoted\"",
        b"-dash",
        b"hash#percent%41&",
        b"...dots",
        b".hidden",
        b"semicolon;$HOME`x`",
    ]
}

/// Those of [`odd_names`] that are patterns or escapes to many a client.
pub(crate) fn pattern_names() -> Vec<&'static [u8]> {
    vec![b"star*and[x]?", b"back\\slash", b"tab\there", b"{a,b}"]
}

/// A directory with one small file for each name.
pub(crate) fn named_files(directory: &Path, names: &[&[u8]]) {
    fs::create_dir_all(directory).unwrap();
    for name in names {
        fs::write(directory.join(OsStr::from_bytes(name)), name).unwrap();
    }
}

/// Some hundred files in nested directories, of sizes from 0 to 70 kB; gives their number.
pub(crate) fn make_tree(directory: &Path) -> usize {
    let mut count = 0;
    for number in 0..20_u64 {
        let below = directory.join(format!("dir {}/sub-{number}", number % 4));
        fs::create_dir_all(&below).unwrap();
        for file in 0..15_u64 {
            random_file(
                &below.join(format!("file {file}.bin")),
                (number * file * 251) % 70_000,
            );
            count += 1;
        }
    }
    fs::create_dir(directory.join("empty")).unwrap();
    count
}

/// Every path below `directory`: `None` for a directory, else the content.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(directory).unwrap().to_owned();
            if path.is_dir() {
                found.insert(name, None);
                open.push(path);
            } else {
                found.insert(name, Some(fs::read(&path).unwrap()));
            }
        }
    }
    found
}

#[track_caller]
pub(crate) fn assert_same_tree(one: &Path, other: &Path) {
    let (left, right) = (contents(one), contents(other));
    let names = |tree: &BTreeMap<PathBuf, _>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&left), names(&right));
    for (name, content) in &left {
        assert!(
            right.get(name) == Some(content),
            "{} differs",
            name.display()
        );
    }
}

/// `count` empty files `f00000`, ...; gives their names in order.
pub(crate) fn many_files(directory: &Path, count: usize) -> Vec<String> {
    fs::create_dir_all(directory).unwrap();
    let names: Vec<String> = (0..count).map(|number| format!("f{number:05}")).collect();
    for name in &names {
        File::create(directory.join(name)).unwrap();
    }
    names
}

/// Expects each of `names` once in `lines`, whatever the order, and nothing else.
#[track_caller]
pub(crate) fn assert_each_once<'a>(lines: impl IntoIterator<Item = &'a str>, names: &[String]) {
    let mut listed: Vec<&str> = lines.into_iter().collect();
    listed.sort_unstable();
    assert_eq!(listed.len(), names.len(), "number of names");
    assert!(
        listed.iter().zip(names).all(|(one, other)| one == other),
        "names differ"
    );
}

/// The permission bits.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Modification time in seconds.
pub(crate) fn mtime(path: &Path) -> i64 {
    fs::metadata(path).unwrap().mtime()
}

pub(crate) fn set_mtime(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options()
        .read(true)
        .open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// A name below `directory` that need not be UTF-8.
pub(crate) fn named(directory: &Path, name: &[u8]) -> PathBuf {
    directory.join(OsStr::from_bytes(name))
}
