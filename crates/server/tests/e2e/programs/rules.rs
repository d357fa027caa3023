//! Permissions, virtual folders, extension filters.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;
use sftpgo_testkit::{Account, until};

use super::*;

const PULL: &str = "rsync --server --sender -re.iLsfxCIvu . ";
const PUSH: &str = "rsync --server -re.iLsfxCIvu . ";
/// The seven of the reference.
const WRITE: [&str; 7] = [
    "list",
    "download",
    "upload",
    "create_dirs",
    "overwrite",
    "delete",
    "rename",
];

#[tokio::test]
async fn writing_programs_need_seven_permissions_and_reading_ones_two() {
    for missing in [None].into_iter().chain(WRITE.map(Some)) {
        let names: Vec<_> = WRITE
            .into_iter()
            .filter(|name| Some(*name) != missing)
            .collect();
        let (server, client) = scene(Account::new("alice").permit("/", &names.join(","))).await;
        let home = server.home("alice");
        repository(&home.join("r"));
        let reads = !matches!(missing, Some("list" | "download"));
        assert_eq!(
            git_runs(&client, "receive-pack", "/r").await,
            missing.is_none(),
            "{missing:?}"
        );
        assert_eq!(
            git_runs(&client, "upload-pack", "/r").await,
            reads,
            "{missing:?}"
        );
        assert_eq!(
            rsync_runs(&client, &format!("{PUSH}r")).await,
            missing.is_none(),
            "{missing:?}"
        );
        assert_eq!(
            rsync_runs(&client, &format!("{PULL}r")).await,
            reads,
            "{missing:?}"
        );
        if missing.is_some() {
            let refused = ran(&client, "git-receive-pack /r").await;
            assert_eq!((refused.status, refused.text().as_str()), (Some(1), ""));
            assert_eq!(stderr(&refused), "git-receive-pack: Permission Denied\n");
        }
    }
}

#[tokio::test]
async fn a_directory_below_with_fewer_permissions_closes_the_tree() {
    let account = Account::new("alice")
        .permit("/", "*")
        .permit("/r/hooks", "list,download")
        .permit("/open/all", "*");
    let (server, client) = scene(account).await;
    let home = server.home("alice");
    for name in ["r", "open", "other"] {
        repository(&home.join(name));
    }
    symlink("r", home.join("link")).unwrap();
    for path in ["/r", "/link"] {
        assert!(git_runs(&client, "upload-pack", path).await, "{path}");
        assert!(!git_runs(&client, "receive-pack", path).await, "{path}");
        assert!(
            rsync_runs(&client, &format!("{PULL}{path}/")).await,
            "{path}"
        );
        assert!(
            !rsync_runs(&client, &format!("{PUSH}{path}/")).await,
            "{path}"
        );
    }
    let refused = ran(&client, "git-receive-pack /r").await;
    assert!(stderr(&refused).contains("the permissions of /r/hooks are not enough"));
    for path in ["/open", "/other"] {
        assert!(git_runs(&client, "receive-pack", path).await, "{path}");
    }
    // The home has it below as well.
    assert!(!rsync_runs(&client, &format!("{PUSH}/")).await);
    // So does what is made beside it: rsync would work in the directory above.
    assert!(!rsync_runs(&client, &format!("{PUSH}/new")).await);
    assert!(rsync_runs(&client, &format!("{PUSH}/other/new")).await);
}

#[tokio::test]
async fn a_link_into_a_closed_directory_opens_nothing() {
    let account = Account::new("alice").permit("/", "*").permit("/closed", "");
    let (server, client) = scene(account).await;
    let home = server.home("alice");
    repository(&home.join("closed/r"));
    write(&home.join("closed/file"), "text");
    fs::create_dir(home.join("d")).unwrap();
    symlink("../closed/r", home.join("d/r")).unwrap();
    symlink("../closed", home.join("d/all")).unwrap();
    for path in ["/closed/r", "/d/r", "/d/all/r"] {
        assert!(!git_runs(&client, "upload-pack", path).await, "{path}");
        assert!(!git_runs(&client, "receive-pack", path).await, "{path}");
        assert!(
            !rsync_runs(&client, &format!("{PULL}{path}/")).await,
            "{path}"
        );
        assert!(
            !rsync_runs(&client, &format!("{PUSH}{path}/")).await,
            "{path}"
        );
    }
    assert!(!rsync_runs(&client, &format!("{PULL}d/all/file")).await);
}

#[tokio::test]
async fn git_is_not_served_in_virtual_folders_and_rsync_not_to_accounts_that_have_one() {
    let outside = tempfile::tempdir().unwrap();
    repository(&outside.path().join("r"));
    let folder = json!([{ "virtual_path": "/v/folder", "mapped_path": outside.path() }]);
    let (server, client) = scene(Account::new("alice").with("virtual_folders", folder)).await;
    let home = server.home("alice");
    repository(&home.join("r"));
    assert!(git_runs(&client, "receive-pack", "/r").await);
    for path in ["/v/folder", "/v/folder/r"] {
        let refused = ran(&client, &format!("git-upload-pack '{path}'")).await;
        assert_eq!(refused.status, Some(1));
        assert!(stderr(&refused).contains("not served in virtual folders"));
    }
    // Above one, git sees what is in the home, and what is hidden behind the folder.
    repository(&home.join("v"));
    for service in ["upload-pack", "receive-pack"] {
        assert!(git_runs(&client, service, "/v").await, "{service}");
    }
    assert!(!outside.path().join("HEAD").exists());
    for line in [PULL, PUSH] {
        let refused = ran(&client, &format!("{line}r")).await;
        assert_eq!(refused.status, Some(1));
        assert!(stderr(&refused).contains("virtual folders"));
    }
}

#[tokio::test]
async fn programs_are_not_served_where_names_are_filtered() {
    let filter = json!({ "file_extensions": [{ "path": "/a/b", "denied_extensions": [".x"] }] });
    let (server, client) = scene(Account::new("alice").with("filters", filter)).await;
    let home = server.home("alice");
    for path in ["a", "a/b", "a/b/c", "other"] {
        repository(&home.join(path));
        let runs = git_runs(&client, "receive-pack", path).await;
        assert_eq!(runs, path == "other", "{path}");
    }
    assert!(!rsync_runs(&client, &format!("{PULL}other")).await);
    assert!(!rsync_runs(&client, &format!("{PUSH}other")).await);
}

#[tokio::test]
async fn links_are_made_harmless_for_who_may_make_none() {
    for (permissions, expected) in [
        (WRITE.join(","), "--munge-links"),
        ("*".into(), "--safe-links"),
    ] {
        let (server, client) = scene(Account::new("alice").permit("/", &permissions)).await;
        // With munged links the sender leaves out the prefix, and a link that has none stays what it is: ask the process.
        for line in [PULL, PUSH] {
            let channel = client.start(format!("{line}./").as_bytes()).await.unwrap();
            runs_with(&server, expected).await;
            drop(channel);
        }
    }
}

#[tokio::test]
async fn an_option_of_the_client_is_no_leave_to_make_links() {
    let (server, client) = scene(Account::new("alice").permit("/", &WRITE.join(","))).await;
    write(&server.home("alice").join("d/file"), "text");
    for line in [PULL, PUSH] {
        let line = line.replace(" . ", " --safe-links . ./");
        let channel = client.start(line.as_bytes()).await.unwrap();
        runs_with(&server, "--munge-links").await;
        drop(channel);
    }
    // Nor is a permission that holds in a part of the tree only.
    let account = Account::new("alice").permit("/d", &WRITE.join(","));
    let (server, client) = scene(account).await;
    write(&server.home("alice").join("d/file"), "text");
    let push = PUSH.replace(" . ", " --safe-links . ./");
    let channel = client.start(push.as_bytes()).await.unwrap();
    runs_with(&server, "--munge-links").await;
    drop(channel);
}

/// Sent and removed is written.
#[tokio::test]
async fn removing_what_was_sent_needs_what_writing_needs() {
    for missing in [None].into_iter().chain(WRITE.map(Some)) {
        let names: Vec<_> = WRITE
            .into_iter()
            .filter(|name| Some(*name) != missing)
            .collect();
        let (server, client) = scene(Account::new("alice").permit("/", &names.join(","))).await;
        write(&server.home("alice").join("d/file"), "text");
        for option in ["--remove-source-files", "--remove-sent-files"] {
            let line = PULL.replace(" . ", &format!(" {option} . "));
            for path in ["d", "d/", "d/file", "d/*"] {
                let runs = rsync_runs(&client, &format!("{line}{path}")).await;
                assert_eq!(runs, missing.is_none(), "{missing:?} {option} {path}");
            }
        }
    }
}

/// What opens files by their names is led anywhere by whoever swaps a directory for a link.
#[tokio::test]
async fn without_confinement_rsync_is_not_served_and_git_makes_no_archives() {
    let (server, client) = scene(Account::new("alice")).await;
    let home = server.home("alice");
    repository(&home.join("r"));
    write(&home.join("d/file"), "text");
    assert!(rsync_runs(&client, &format!("{PULL}d")).await);
    server.core().assume_unconfined_programs();
    for line in [
        format!("{PULL}d"),
        format!("{PUSH}d"),
        PULL.replace(" . ", " --files-from=- . d"),
        PULL.replace(" . ", " -R --no-implied-dirs . d"),
        PUSH.replace(" . ", " --backup-dir=x . d"),
        PUSH.replace(" . ", " --link-dest=x . d"),
        "git-upload-archive /r".to_owned(),
    ] {
        let refused = ran(&client, &line).await;
        assert_eq!((refused.status, refused.text().as_str()), (Some(1), ""));
        assert!(stderr(&refused).contains("cannot confine"), "{refused:?}");
    }
    assert!(git_runs(&client, "upload-pack", "/r").await);
}

/// Waits for an rsync that works in the home of alice and has this argument.
async fn runs_with(server: &TestServer, argument: &str) {
    let home = server.home("alice").canonicalize().unwrap();
    until(argument, async || {
        let mut processes = fs::read_dir("/proc").unwrap();
        processes.any(|process| {
            let process = process.unwrap().path();
            let here = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == home);
            let line = fs::read(process.join("cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            here && words.any(|word| word == argument.as_bytes())
        })
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_or_no_directory_is_refused_without_paths_of_the_server() {
    let (server, client) = scene(Account::new("alice")).await;
    let home = server.home("alice");
    write(&home.join("file"), "text");
    symlink("/etc", home.join("out")).unwrap();
    for (path, why) in [
        ("missing", "No Such File"),
        ("file", "Not a directory"),
        ("out", "Permission Denied"),
        ("../../etc", "No Such File"),
    ] {
        let refused = ran(&client, &format!("git-upload-pack '{path}'")).await;
        assert_eq!(refused.status, Some(1), "{path}");
        assert_eq!(
            stderr(&refused),
            format!("git-upload-pack: {why}\n"),
            "{path}"
        );
    }
    let plain = ran(&client, "git-upload-pack '/'").await;
    assert_eq!(plain.status, Some(1));
    let text = stderr(&plain);
    assert!(!text.contains(home.to_str().unwrap()), "{text}");
}
