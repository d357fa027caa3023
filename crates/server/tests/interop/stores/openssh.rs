//! `sftp` and `scp` of OpenSSH.

use std::fs;

use super::Scene;
use crate::support::Server;
use crate::support::files::{assert_same_tree, mtime, named_files, set_mtime, utf8_names};

/// Below, at and above the limits of packets and parts.
const SIZES: [u64; 5] = [0, 1, 261_121, 5 << 20, 11_000_003];

fn sftp(server: &Server, commands: &str) -> crate::support::Run {
    let run = server.openssh("sftp").args(["-b", "-", "server"]);
    run.input(commands)
}

#[test]
fn sftp_puts_gets_lists_renames_and_removes() {
    Scene::each(|scene| {
        let mut commands = String::new();
        for size in SIZES {
            scene.local(&format!("up-{size}"), size);
            commands += &format!("put up-{size} stored-{size}\nget stored-{size} down-{size}\n");
        }
        sftp(&scene.server, &commands).succeed();
        for size in SIZES {
            let sent = scene.read_local(&format!("up-{size}"));
            assert!(scene.stored(&format!("stored-{size}")).unwrap() == sent);
            assert!(scene.read_local(&format!("down-{size}")) == sent);
        }
        let said = sftp(&scene.server, "ls -l\n").succeed();
        for size in SIZES {
            said.says(&format!("stored-{size}")).says(&size.to_string());
        }
        let changes = "mkdir dir\nrename stored-1 dir/moved\nrename stored-0 stored-261121\nls dir\n\
                       rename dir \"other dir\"\nrm stored-5242880\nrm stored-11000003\n";
        sftp(&scene.server, changes).succeed().says("dir/moved");
        let keys = ["other dir/", "other dir/moved", "stored-261121"];
        assert_eq!(scene.keys(), keys);
        assert_eq!(scene.stored("stored-261121").unwrap(), b"");
        sftp(&scene.server, "rmdir \"other dir\"\n").fail();
        let rest = "rm \"other dir/moved\"\nrmdir \"other dir\"\nrm stored-261121\n";
        sftp(&scene.server, rest).succeed();
        assert!(scene.keys().is_empty());
    });
}

#[test]
fn sftp_resumes_an_upload_and_a_download() {
    Scene::each(|scene| {
        let sent = scene.local("up", 12_000_001);
        // Less than a part, and more than one.
        for there in [70_000, 7_000_000] {
            scene.make("stored", &sent[..there]);
            sftp(&scene.server, "reput up stored\n").succeed();
            assert!(scene.stored("stored").unwrap() == sent, "from {there}");
        }
        fs::write(scene.server.work().join("down"), &sent[..5_000_000]).unwrap();
        sftp(&scene.server, "reget stored down\n").succeed();
        assert!(scene.read_local("down") == sent);
        assert_eq!(scene.keys(), ["stored"]);
    });
}

#[test]
fn sftp_keeps_times_both_ways() {
    Scene::each(|scene| {
        for size in [5000, 6_000_000] {
            scene.local("up", size);
            set_mtime(&scene.server.work().join("up"), 1_234_567_890);
            sftp(&scene.server, "put -p up stored\nget -p stored down\n").succeed();
            assert_eq!(mtime(&scene.server.work().join("down")), 1_234_567_890);
        }
    });
}

#[test]
fn a_tree_goes_up_and_comes_down_with_sftp_and_both_kinds_of_scp() {
    Scene::each(|scene| {
        let tree = scene.server.work().join("tree");
        named_files(&tree.join("odd"), &utf8_names());
        for number in 0..4 {
            let directory = tree.join(format!("dir {number}/sub"));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("file"), format!("content {number}")).unwrap();
        }
        fs::create_dir(tree.join("empty")).unwrap();
        let server = &scene.server;
        sftp(server, "put -R tree by-sftp\nget -R by-sftp sftp-back\n").succeed();
        assert_same_tree(&tree, &server.work().join("sftp-back"));
        for (kind, name) in [("-s", "by-scp"), ("-O", "by-old-scp")] {
            let scp = |from: &str, to: &str| {
                let run = server.openssh("scp").args([kind, "-r", "-p", "-q"]);
                run.args([from, to]).succeed();
            };
            scp("tree", &format!("server:{name}"));
            scp(&format!("server:{name}"), &format!("{name}-back"));
            assert_same_tree(&tree, &server.work().join(format!("{name}-back")));
        }
    });
}
