//! `sshfs`: a mounted directory, with the reads and writes that programs make of it. Needs `/dev/fuse`.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

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
