//! `sshfs`: a mounted directory, with the reads and writes that programs make of it. Needs `/dev/fuse`.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};
use serde_json::json;

use super::support::files::{
    SIZES, assert_each_once, assert_same, assert_same_tree, make_tree, many_files, mode, mtime,
    named_files, odd_names, pattern_names, random_file, set_mode, set_mtime,
};
use super::support::{Run, Server};

/// The home of an account as a local directory, until this is dropped.
struct Mount<'a> {
    server: &'a Server,
    point: PathBuf,
}

impl<'a> Mount<'a> {
    fn of(server: &'a Server, host: &str) -> Self {
        let device = File::options().read(true).write(true).open("/dev/fuse");
        if let Err(error) = device {
            panic!(
                "/dev/fuse: {error}: sshfs cannot be tested here (a container needs --device /dev/fuse and the capability \
                 SYS_ADMIN)"
            );
        }
        let point = server.work().join("mount");
        fs::create_dir(&point).unwrap();
        // It returns when the directory is mounted; what stays behind ends with the mount.
        server
            .openssh("sshfs")
            .arg(format!("{host}:/"))
            .arg(&point)
            // Each look asks the server.
            .args([
                "-o",
                "dir_cache=no,attr_timeout=0,entry_timeout=0,idmap=user",
            ])
            .succeed();
        Self { server, point }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.point.join(name)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Run {
        self.server.client(program).args(arguments)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let unmount = |program: &str, options: &[&str]| {
            let run = self.server.client(program).args(options);
            run.arg(&self.point).finish().code() == Some(0)
        };
        // The first works for every user, the second without an /etc/mtab.
        let _ = unmount("fusermount3", &["-u", "-z"]) || unmount("umount", &["-l"]);
    }
}

#[test]
fn a_tree_is_copied_compared_and_removed() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let tree = server.work().join("tree");
    make_tree(&tree);
    named_files(&tree.join("odd"), &odd_names());
    named_files(&tree.join("odd"), &pattern_names());
    for size in SIZES {
        random_file(&tree.join(format!("size-{size}")), size);
    }
    let dated = tree.join("size-1");
    set_mode(&dated, 0o640);
    set_mtime(&dated, 1_234_567_890);
    mount
        .run(
            "cp",
            &["-R", "--preserve=mode,timestamps", "tree", "mount/stored"],
        )
        .succeed();
    assert_same_tree(&tree, &server.home().join("stored"));
    let stored = server.home().join("stored/size-1");
    assert_eq!((mode(&stored), mtime(&stored)), (0o640, 1_234_567_890));
    mount.run("diff", &["-r", "tree", "mount/stored"]).succeed();
    mount.run("rm", &["-r", "mount/stored"]).succeed();
    assert_eq!(fs::read_dir(server.home()).unwrap().count(), 0);
}

#[test]
fn a_file_is_written_and_read_anywhere() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let (path, stored) = (mount.path("file"), server.home().join("file"));
    let mut expected = vec![0; 3_000_000];
    {
        let file = File::create(&path).unwrap();
        for (offset, byte) in [(2_999_000, 3), (0, 1), (1_500_000, 2), (70_001, 4)] {
            file.write_all_at(&[byte; 1000], offset).unwrap();
            let start = usize::try_from(offset).unwrap();
            expected[start..start + 1000].fill(byte);
        }
        expected.truncate(3_000_000);
        file.sync_all().unwrap();
    }
    assert!(fs::read(&stored).unwrap() == expected);

    let mut file = File::options().append(true).read(true).open(&path).unwrap();
    file.write_all(b"the end").unwrap();
    file.flush().unwrap();
    file.seek(SeekFrom::Start(2_999_999)).unwrap();
    let mut end = String::new();
    file.seek(SeekFrom::Start(3_000_000)).unwrap();
    file.read_to_string(&mut end).unwrap();
    assert_eq!(end, "the end");
    drop(file);
    assert_eq!(fs::metadata(&stored).unwrap().len(), 3_000_007);
}

#[test]
fn a_file_is_cut_and_extended() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let stored = server.home().join("file");
    random_file(&stored, 100_000);
    let whole = fs::read(&stored).unwrap();
    // By path, and by handle.
    mount
        .run("truncate", &["-s", "1234", "mount/file"])
        .succeed();
    assert!(fs::read(&stored).unwrap() == whole[..1234]);
    File::options()
        .write(true)
        .open(mount.path("file"))
        .unwrap()
        .set_len(2000)
        .unwrap();
    let longer = fs::read(&stored).unwrap();
    assert!(longer[..1234] == whole[..1234] && longer[1234..] == [0; 766]);
    // As a shell does for `>`.
    fs::write(mount.path("file"), "short").unwrap();
    assert_eq!(fs::read(&stored).unwrap(), b"short");
}

/// One change that a program makes to an open file.
fn disturb(file: &File, random: &mut SmallRng, append: bool) {
    const FAR: u64 = 400_000;
    let size = file.metadata().unwrap().len();
    match random.random_range(0..10) {
        // Anywhere, behind the end and over it too; a few bytes, or more than a request holds.
        0..=5 => {
            let length = [1, 37, 4_096, 70_001][random.random_range(0..4)];
            let mut bytes = vec![0; length];
            random.fill_bytes(&mut bytes);
            let offset = if append {
                size
            } else {
                random.random_range(0..FAR)
            };
            file.write_all_at(&bytes, offset).unwrap();
        }
        6 => file.set_len(random.random_range(0..FAR)).unwrap(),
        7 => file.set_len(size / 2).unwrap(),
        8 => file.sync_all().unwrap(),
        _ => {
            let mut bytes = [0; 5_000];
            let offset = random.random_range(0..FAR);
            let _ = file.read_at(&mut bytes, offset).unwrap();
        }
    }
}

/// Opens a file in one of the ways in which programs open a file that they change.
fn reopened(path: &Path, way: usize) -> File {
    let mut options = File::options();
    match way {
        0 => options.read(true).write(true).create(true),
        1 => options.read(true).append(true).create(true),
        _ => options.read(true).write(true).create(true).truncate(true),
    };
    options.open(path).unwrap()
}

/// A program does not wait for the CLOSE of its file: the kernel sends it when it likes.
fn until_same(stored: &Path, twin: &Path) {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end && fs::read(stored).ok() != fs::read(twin).ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_same(stored, twin);
}

/// Two hundred random writes, cuts and extensions, through the mount and on a local file alike.
fn random_changes(mode: u8) {
    let server = Server::with(json!({ "upload_mode": mode }));
    let mount = Mount::of(&server, "server");
    let twin = server.work().join("twin");
    for seed in 0..2 {
        let name = format!("file-{seed}");
        let (path, stored) = (mount.path(&name), server.home().join(&name));
        let _ = fs::remove_file(&twin);
        for round in 0..10 {
            // Now and then from the beginning.
            let way = [0, 0, 1, 0, 2][round % 5];
            let (remote, local) = (reopened(&path, way), reopened(&twin, way));
            // The same numbers for both, others in each round.
            let random = || SmallRng::seed_from_u64(seed * 1_000 + round as u64);
            let (mut one, mut other) = (random(), random());
            for _ in 0..10 {
                disturb(&remote, &mut one, way == 1);
                disturb(&local, &mut other, way == 1);
            }
            drop(remote);
            until_same(&stored, &twin);
            assert_same(&path, &twin);
        }
    }
    let names = fs::read_dir(server.home()).unwrap();
    assert_eq!(names.count(), 2, "no temporary file stays");
}

#[test]
fn random_changes_of_a_file_are_those_of_a_local_one() {
    random_changes(0);
}

#[test]
fn random_changes_of_a_file_are_those_of_a_local_one_where_uploads_are_atomic() {
    random_changes(2);
}

#[test]
fn a_file_is_mapped_into_memory_while_it_changes() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    random_file(&server.home().join("file"), 3_000_000);
    // Reads in any order, page by page, as a program does that maps a file.
    let code = "import hashlib, mmap, random\n\
        with open('mount/file', 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:\n \
            pages = list(range(0, len(view), 4096))\n \
            random.seed(1)\n \
            random.shuffle(pages)\n \
            for page in pages: view[page]\n \
            print(hashlib.sha256(view).hexdigest())\n";
    let seen = mount.run("python3", &["-c", code]).succeed().text();
    let file = server.home().join("file");
    let expected = server.client("sha256sum").arg(file).succeed().text();
    assert_eq!(seen.trim(), expected.split(' ').next().unwrap());
}

#[test]
fn a_file_has_two_names_and_a_rename_replaces_one_of_them() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    fs::write(mount.path("one"), "content").unwrap();
    fs::hard_link(mount.path("one"), mount.path("two")).unwrap();
    let inode = |name: &str| fs::metadata(server.home().join(name)).unwrap().ino();
    assert_eq!(inode("one"), inode("two"));
    assert!(fs::hard_link(mount.path("one"), mount.path("two")).is_err());
    fs::write(mount.path("three"), "another").unwrap();
    fs::rename(mount.path("three"), mount.path("one")).unwrap();
    assert_eq!(fs::read(mount.path("one")).unwrap(), b"another");
    assert_eq!(fs::read(mount.path("two")).unwrap(), b"content");
    assert!(!server.home().join("three").exists());
}

#[test]
fn a_large_file_is_copied_both_ways() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let sent = server.local_file("up", 64 << 20);
    mount.run("cp", &["up", "mount/stored"]).succeed();
    assert_same(&sent, &server.home().join("stored"));
    mount.run("cp", &["mount/stored", "down"]).succeed();
    assert_same(&sent, &server.work().join("down"));
}

#[test]
fn each_of_ten_thousand_names_is_listed_once() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let names = many_files(&server.home().join("many"), 10_000);
    let said = mount.run("ls", &["-1U", "mount/many"]).succeed().text();
    assert_each_once(said.lines(), &names);
}

#[test]
fn names_are_renamed_replaced_linked_and_removed() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    fs::write(mount.path("old"), "fresh").unwrap();
    fs::write(mount.path("new"), "stale and longer").unwrap();
    fs::rename(mount.path("old"), mount.path("new")).unwrap();
    assert_eq!(fs::read(server.home().join("new")).unwrap(), b"fresh");
    assert!(!server.home().join("old").exists());

    symlink("new", mount.path("link")).unwrap();
    assert_eq!(
        fs::read_link(mount.path("link")).unwrap().to_str(),
        Some("new")
    );
    assert_eq!(fs::read(mount.path("link")).unwrap(), b"fresh");
    assert!(
        fs::symlink_metadata(mount.path("link"))
            .unwrap()
            .is_symlink()
    );

    fs::create_dir_all(mount.path("a/b")).unwrap();
    fs::rename(mount.path("a"), mount.path("c")).unwrap();
    assert!(fs::remove_dir(mount.path("c")).is_err(), "not empty");
    fs::remove_dir(mount.path("c/b")).unwrap();
    fs::remove_dir(mount.path("c")).unwrap();
    fs::remove_file(mount.path("link")).unwrap();
    let left = fs::read_dir(server.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["new"]);
}

#[test]
fn attributes_are_shown_and_changed() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let (path, stored) = (mount.path("file"), server.home().join("file"));
    random_file(&stored, 12_345);
    set_mode(&path, 0o705);
    set_mtime(&path, 1_000_000_000);
    assert_eq!((mode(&stored), mtime(&stored)), (0o705, 1_000_000_000));
    let seen = fs::metadata(&path).unwrap();
    assert_eq!(
        (seen.len(), seen.mode() & 0o777, seen.mtime()),
        (12_345, 0o705, 1_000_000_000)
    );
    let metadata = fs::metadata(&stored).unwrap();
    let owner = format!("{}:{}", metadata.uid(), metadata.gid());
    mount.run("chown", &[&owner, "mount/file"]).succeed();
}

#[test]
fn the_free_space_is_that_of_the_server() {
    let server = Server::start();
    let mount = Mount::of(&server, "server");
    let size = |path: &Path| {
        let run = mount.run("df", &["-B1", "--output=size"]).arg(path);
        let said = run.succeed().text();
        said.lines().last().unwrap().trim().parse::<u64>().unwrap()
    };
    assert_eq!(size(&mount.point), size(&server.home()));
}

#[test]
fn refusals_are_permission_errors() {
    let server = Server::start();
    fs::write(server.reader_home().join("file"), "content").unwrap();
    let mount = Mount::of(&server, "reader@server");
    assert_eq!(fs::read(mount.path("file")).unwrap(), b"content");
    let denied = |result: std::io::Result<()>| {
        assert_eq!(
            result.unwrap_err().kind(),
            std::io::ErrorKind::PermissionDenied
        );
    };
    denied(File::create(mount.path("new")).map(drop));
    denied(fs::write(mount.path("file"), "x"));
    denied(fs::remove_file(mount.path("file")));
    denied(fs::create_dir(mount.path("made")));
    denied(fs::rename(mount.path("file"), mount.path("moved")));
    denied(symlink("file", mount.path("link")));
    let missing = fs::read(mount.path("nothing")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

/// A home on a file system that tells late what became of a write: the disk behind it is full by then.
#[test]
fn what_fails_when_a_file_is_closed_fails_the_upload() {
    let server = Server::start();
    server.set_user("alice", &["--quota-size", "200000"]);
    let mount = Mount::of(&server, "server");
    let home = mount.point.display().to_string();
    server.set_user("reader", &["--home-dir", &home, "--permission", "/:*"]);
    server.local_file("fits", 50_000);
    // The last of the requests is the one that does not fit.
    server.local_file("large", 160_000);
    let put = |name: &str| {
        let run = server.openssh("sftp");
        run.args(["-b", "-", "reader@server"])
            .input(format!("put {name}"))
    };
    put("fits").succeed();
    put("large").fail();
}
