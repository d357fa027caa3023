//! SIGKILL of the server in the middle of an upload.

use std::time::Instant;

use sftpgo_testkit::{Bucket, DEADLINE, StoreKind};
use sftpgo_teststore::{Action, Gate, Proxy, Rule};

use super::Background;
use crate::support::Server;
use crate::support::files::random_file;

const OLD: &[u8] = b"what was there before";

/// The calls at which an upload of so many bytes is stopped: the last ones before the object is there.
fn last_calls(kind: StoreKind) -> &'static [(u64, &'static str)] {
    match kind {
        StoreKind::S3 => &[
            (70_000, "PutObject"),
            (11_000_000, "CreateMultipartUpload"),
            (11_000_000, "UploadPart"),
            (11_000_000, "CompleteMultipartUpload"),
        ],
        StoreKind::Gcs => &[
            (70_000, "objects.insert"),
            (11_000_000, "upload.start"),
            (11_000_000, "upload.chunk"),
        ],
        StoreKind::Azure => &[
            (70_000, "Put Blob"),
            (11_000_000, "Put Block"),
            (11_000_000, "Put Block List"),
        ],
    }
}

#[test]
fn a_server_that_is_killed_in_an_upload_leaves_the_old_file_and_in_the_end_nothing_else() {
    for kind in StoreKind::ALL {
        for (size, call) in last_calls(*kind) {
            let background = Background::new();
            let bucket = background.wait(Bucket::new(*kind));
            let (proxy, gate) = background.wait(async {
                bucket.put("file", OLD).await;
                let store = bucket.emulator();
                let proxy = Proxy::http(store.address(), store.product().dialect()).await;
                let gate = Gate::new();
                proxy.place(Rule::new(Action::Hold(gate.clone())).on(call).times(1));
                (proxy, gate)
            });
            let filesystem = bucket.filesystem_by(proxy.address());
            let variables = [("SFTPGO_OBJECT_STORES__ABANDONED_AFTER", "1")];
            let mut server = Server::with_filesystem(&filesystem, &variables);
            random_file(&server.work().join("up"), *size);
            let upload = server.openssh("sftp").args(["-b", "-", "server"]);
            let upload = upload.input("put up file\n");
            let client = std::thread::spawn(move || upload.finish());
            background.wait(gate.reached());
            server.crash();
            assert_ne!(client.join().unwrap().code(), Some(0), "{call}");
            background.wait(async {
                assert_eq!(bucket.content("file").await.unwrap(), OLD, "{call}");
                assert_eq!(bucket.keys().await, ["file"], "{call}");
            });

            proxy.take_away_rules();
            let server = server.start_again();
            let run = server.openssh("sftp").args(["-b", "-", "server"]);
            let commands = "get file old\nput up file\nget file new\n";
            let run = run.input(commands).deadline(60);
            run.succeed();
            let read = |name: &str| std::fs::read(server.work().join(name)).unwrap();
            assert_eq!(read("old"), OLD, "{call}");
            assert!(read("new") == read("up"), "{call}");
            // What the other one has begun is given up by the time that its owner comes again.
            let end = Instant::now() + DEADLINE;
            while !background.wait(bucket.open_uploads()).is_empty() {
                assert!(Instant::now() < end, "{call}: an upload was left");
                let run = server.openssh("sftp").args(["-b", "-", "server"]);
                run.input("ls\n").succeed();
            }
        }
    }
}
