//! `rsync` over `ssh`: trees up and down, second runs, deltas, deletion, links, and what is refused.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use serde_json::json;

use super::support::files::{assert_same, assert_same_tree, random_file, set_mode};
use super::support::{Run, Server};

fn server() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["*"] }))
}

fn rsync(server: &Server, arguments: &[&str]) -> Run {
    let ssh = format!("ssh -F {}", server.ssh_config().display());
    server
        .client("rsync")
        .args(["-e", &ssh])
        .args(arguments)
        .deadline(300)
}

/// 5,000 small files in 50 directories.
fn big_tree(directory: &Path) {
    for number in 0..5000_usize {
        let below = directory.join(format!("d {}", number % 50));
        if number < 50 {
            fs::create_dir_all(&below).unwrap();
        }
        fs::write(
            below.join(format!("f{number}")),
            number.to_string().repeat(number % 97),
        )
        .unwrap();
    }
}

/// Names of regular files that a run with `--out-format=%i %n` says it has moved.
fn moved(run: Run) -> Vec<String> {
    let text = run.succeed().text();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter(|(what, _)| what.starts_with("<f") || what.starts_with(">f"))
        .map(|(_, name)| name.to_owned())
        .collect()
}

#[test]
fn a_tree_of_five_thousand_files_goes_up_and_down() {
    let server = server();
    let (up, down) = (server.work().join("up"), server.work().join("down"));
    big_tree(&up);
    rsync(&server, &["-a", "--delete", "up/", "server:tree"]).succeed();
    assert_same_tree(&up, &server.home().join("tree"));
    rsync(&server, &["-a", "--delete", "server:tree/", "down"]).succeed();
    assert_same_tree(&up, &down);
    // A second run has nothing to do.
    let format = "--out-format=%i %n";
    assert_eq!(
        moved(rsync(&server, &["-a", format, "up/", "server:tree/"])),
        [""; 0]
    );
    assert_eq!(
        moved(rsync(&server, &["-a", format, "server:/tree/", "down"])),
        [""; 0]
    );
    // What is gone here goes there, and what changed is sent.
    fs::remove_dir_all(up.join("d 7")).unwrap();
    fs::write(up.join("d 8/f8"), "changed").unwrap();
    let sent = moved(rsync(
        &server,
        &["-a", "--delete", format, "up/", "server:tree/"],
    ));
    assert_eq!(sent, ["d 8/f8"]);
    assert_same_tree(&up, &server.home().join("tree"));
}

#[test]
fn a_changed_file_is_sent_as_a_difference() {
    let server = server();
    let path = server.local_file("big", 20 << 20);
    rsync(&server, &["-t", "big", "server:big"]).succeed();
    for (round, options) in [
        &["-tI", "--stats", "--no-whole-file"][..],
        &["-tI", "--stats", "--no-whole-file", "--inplace"],
        &[
            "-tz",
            "--stats",
            "--no-whole-file",
            "--partial",
            "--checksum",
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let mut content = fs::read(&path).unwrap();
        content[10 << 20..][..100].fill(u8::try_from(round).unwrap());
        fs::write(&path, content).unwrap();
        let stats = rsync(&server, options)
            .args(["big", "server:big"])
            .succeed()
            .text();
        let literal = stats
            .lines()
            .find_map(|line| line.strip_prefix("Literal data: "));
        let literal: String = literal.unwrap().chars().take_while(|c| *c != ' ').collect();
        let literal: u64 = literal.replace(',', "").parse().unwrap();
        assert!(literal < 200_000, "{literal}");
        assert_same(&path, &server.home().join("big"));
    }
}

#[test]
fn every_size_arrives_with_every_way_to_write_and_to_compress() {
    let server = server();
    let up = server.work().join("up");
    fs::create_dir(&up).unwrap();
    for size in super::support::files::SIZES {
        random_file(&up.join(size.to_string()), size);
    }
    for option in ["-rt", "-rtz", "-rtc", "-rtS", "-rtI"] {
        for more in [
            "--inplace",
            "--partial",
            "--delay-updates",
            "--append",
            "--fuzzy",
        ] {
            rsync(&server, &[option, more, "up/", "server:/a/"]).succeed();
            assert_same_tree(&up, &server.home().join("a"));
            rsync(&server, &[option, more, "server:/a/", "down/"]).succeed();
            assert_same_tree(&up, &server.work().join("down"));
            fs::remove_dir_all(server.home().join("a")).unwrap();
            fs::remove_dir_all(server.work().join("down")).unwrap();
        }
    }
}

#[test]
fn hard_links_and_times_stay() {
    let server = server();
    let up = server.work().join("up");
    fs::create_dir(&up).unwrap();
    fs::write(up.join("one"), "text").unwrap();
    fs::hard_link(up.join("one"), up.join("two")).unwrap();
    super::support::files::set_mtime(&up.join("one"), 1_000_000_000);
    rsync(&server, &["-aH", "up/", "server:a"]).succeed();
    let inode = |name: &str| {
        fs::metadata(server.home().join("a").join(name))
            .unwrap()
            .ino()
    };
    assert_eq!(inode("one"), inode("two"));
    assert_eq!(
        super::support::files::mtime(&server.home().join("a/one")),
        1_000_000_000
    );
    rsync(&server, &["-aH", "server:a/", "down"]).succeed();
    let down = server.work().join("down");
    assert_eq!(fs::metadata(down.join("one")).unwrap().nlink(), 2);
}

#[test]
fn links_that_lead_out_of_the_tree_are_left_out() {
    let server = server();
    let up = server.work().join("up");
    fs::create_dir(&up).unwrap();
    fs::write(up.join("file"), "text").unwrap();
    symlink("file", up.join("inside")).unwrap();
    symlink("/etc/passwd", up.join("absolute")).unwrap();
    symlink("../../../etc/passwd", up.join("climbing")).unwrap();
    rsync(&server, &["-a", "up/", "server:a"]).finish();
    let stored = server.home().join("a");
    assert_eq!(
        fs::read_link(stored.join("inside")).unwrap(),
        Path::new("file")
    );
    assert!(fs::symlink_metadata(stored.join("absolute")).is_err());
    assert!(fs::symlink_metadata(stored.join("climbing")).is_err());
}

#[test]
fn names_paths_and_patterns_mean_what_they_mean_elsewhere() {
    let server = server();
    let home = server.home();
    fs::create_dir_all(home.join("a/b")).unwrap();
    super::support::files::named_files(&home.join("odd"), &super::support::files::odd_names());
    for (name, text) in [
        ("a/b/one.txt", "1"),
        ("a/b/two.txt", "2"),
        ("three", "3"),
        ("-e", "4"),
    ] {
        fs::write(home.join(name), text).unwrap();
    }
    let work = server.work();
    let read = |name: &str| fs::read_to_string(work.join(name)).unwrap_or_default();
    rsync(&server, &["-r", "server:odd/", "odd"]).succeed();
    assert_same_tree(&home.join("odd"), &work.join("odd"));
    rsync(&server, &["-r", "odd/", "server:odd2/"]).succeed();
    assert_same_tree(&home.join("odd"), &home.join("odd2"));
    rsync(&server, &["server:a/b/one.txt", ":three", "many/"]).succeed();
    assert_eq!(
        (read("many/one.txt"), read("many/three")),
        ("1".into(), "3".into())
    );
    rsync(&server, &["server:/a/*/*.txt", "matched/"]).succeed();
    assert_eq!(
        (read("matched/one.txt"), read("matched/two.txt")),
        ("1".into(), "2".into())
    );
    rsync(&server, &["-R", "server:a/b/one.txt", "relative/"]).succeed();
    assert_eq!(read("relative/a/b/one.txt"), "1");
    rsync(&server, &["-R", "server:a/./b/one.txt", "pivot/"]).succeed();
    assert_eq!(read("pivot/b/one.txt"), "1");
    rsync(&server, &["server:./-e", "dash/"]).succeed();
    assert_eq!(read("dash/-e"), "4");
    rsync(&server, &["-r", "server:a", "dir/"]).succeed();
    assert_eq!(read("dir/a/b/two.txt"), "2");
    fs::write(work.join("list"), "a/b/one.txt\nthree\n").unwrap();
    rsync(&server, &["--files-from=list", "server:", "listed/"]).succeed();
    assert_eq!(
        (read("listed/a/b/one.txt"), read("listed/three")),
        ("1".into(), "3".into())
    );
    // One file under another name, into a directory, over a file.
    for target in ["server:new", "server:a/", "server:a/three", "server:new"] {
        rsync(&server, &["many/three", target]).succeed();
    }
    assert_eq!(fs::read_to_string(home.join("new")).unwrap(), "3");
    assert_eq!(fs::read_to_string(home.join("a/three")).unwrap(), "3");
    rsync(&server, &["--mkpath", "many/three", "server:x/y/z/"]).succeed();
    assert_eq!(fs::read_to_string(home.join("x/y/z/three")).unwrap(), "3");
    rsync(&server, &["many/three", "server:no/such/place/"]).fail();
    rsync(&server, &["server:nothing", "x"])
        .fail()
        .says("No such file");
    rsync(&server, &["-r", "server:", "everything/"]).succeed();
    assert_eq!(read("everything/a/b/two.txt"), "2");
}

#[test]
fn backups_and_other_directories_stay_below_the_destination() {
    let server = server();
    let home = server.home();
    fs::write(server.work().join("f"), "new").unwrap();
    fs::create_dir_all(home.join("d/tmp")).unwrap();
    fs::write(home.join("d/f"), "old").unwrap();
    let into = "server:d/";
    rsync(
        &server,
        &["-Ib", "--backup-dir=before", "--temp-dir=tmp", "f", into],
    )
    .succeed();
    assert_eq!(fs::read_to_string(home.join("d/f")).unwrap(), "new");
    assert_eq!(fs::read_to_string(home.join("d/before/f")).unwrap(), "old");
    for option in [
        "--backup-dir=/tmp/x",
        "--partial-dir=../x",
        "--link-dest=/etc",
        "--temp-dir=/tmp",
    ] {
        let refused = rsync(&server, &["-rb", option, "f", into]).fail();
        refused.says("takes a relative path below the destination");
    }
    let refused = rsync(&server, &["-M--log-file=/tmp/x", "f", into]).fail();
    refused.says("the option --log-file is not served");
    rsync(&server, &["-s", "f", into])
        .fail()
        .says("--no-secluded-args");
}

#[test]
fn an_unreadable_file_does_not_stop_the_others() {
    let server = server();
    fs::write(server.home().join("good"), "good").unwrap();
    symlink("/etc/passwd", server.home().join("bad")).unwrap();
    // With -L the client asks for what the link leads to, and the kernel says no.
    rsync(&server, &["-rL", "server:", "down/"]).fail();
    assert_eq!(
        fs::read_to_string(server.work().join("down/good")).unwrap(),
        "good"
    );
    assert!(!server.work().join("down/bad").exists());
}

#[test]
fn programs_never_get_bits_that_make_them_run_as_somebody_else() {
    let server = server();
    fs::write(server.work().join("tool"), "x").unwrap();
    set_mode(&server.work().join("tool"), 0o6755);
    rsync(&server, &["-p", "tool", "server:tool"]).succeed();
    assert_eq!(
        super::support::files::mode(&server.home().join("tool")),
        0o755
    );
}

#[test]
fn a_transfer_over_the_quota_ends_and_one_that_only_replaces_does_not() {
    let server = server();
    let user = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sftpgo"))
            .args(["user", "set", "alice"])
            .args(arguments)
            .args(["--config-dir", "conf"])
            .env_clear()
            .current_dir(server.home().join("../.."))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    user(&["--quota-size", "10000000"]);
    fs::create_dir(server.work().join("up")).unwrap();
    random_file(&server.work().join("up/a"), 8_000_000);
    rsync(&server, &["-rt", "up/", "server:d/"]).succeed();
    // Sent anew as a whole, into the same file: more than is free arrives, and nothing more is stored.
    rsync(&server, &["-rtIW", "--inplace", "up/", "server:d/"]).succeed();
    random_file(&server.work().join("up/b"), 40_000_000);
    let refused = rsync(&server, &["-rt", "up/", "server:d/"]).fail();
    refused.says("quota exceeded");
    assert!(!server.home().join("d/b").exists());
}

#[test]
fn what_was_sent_is_removed_where_that_is_asked_for() {
    let server = server();
    let home = server.home();
    fs::create_dir_all(home.join("d/sub")).unwrap();
    for name in ["d/a", "d/sub/b", "one", "d/stays"] {
        fs::write(home.join(name), name).unwrap();
    }
    let sent = ["-r", "--remove-source-files", "--exclude=stays"];
    rsync(&server, &sent).args(["server:d", "down/"]).succeed();
    rsync(&server, &sent)
        .args(["server:one", "down/"])
        .succeed();
    let down = server.work().join("down");
    for (name, there) in [("d/a", "d/a"), ("d/sub/b", "d/sub/b"), ("one", "one")] {
        assert_eq!(fs::read_to_string(down.join(there)).unwrap(), name);
        assert!(!home.join(name).exists(), "{name}");
    }
    assert!(home.join("d/stays").exists() && home.join("d/sub").is_dir());
}
