//! Accounts that try to get out of their homes with git and rsync. What they upload is written to the disk directly.
//!
//! These tests need a kernel that can confine programs (Landlock, Linux 5.19), as continuous integration has.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::support::files::set_mode;
use super::support::{Run, Server};

fn server() -> Server {
    Server::with(json!({ "enabled_ssh_commands": ["*"] }))
}

fn git(server: &Server, arguments: &[&str]) -> Run {
    let ssh = format!("ssh -F {}", server.ssh_config().display());
    let mut run = server.client("git").env("GIT_SSH_COMMAND", ssh);
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Test"),
        ("GIT_AUTHOR_EMAIL", "test@example.org"),
        ("GIT_COMMITTER_NAME", "Test"),
        ("GIT_COMMITTER_EMAIL", "test@example.org"),
    ] {
        run = run.env(name, value);
    }
    run.args(["-c", "init.defaultBranch=main"]).args(arguments)
}

fn rsync(server: &Server, arguments: &[&str]) -> Run {
    let ssh = format!("ssh -F {}", server.ssh_config().display());
    server.client("rsync").args(["-e", &ssh]).args(arguments)
}

/// A repository with a commit, in a home on the server; gives its directory.
fn repository(server: &Server, home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    let there = path.display().to_string();
    git(server, &["init", "-q", "--bare", &there]).succeed();
    let copy = format!("made-{name}");
    git(server, &["init", "-q", &copy]).succeed();
    fs::write(server.work().join(&copy).join("file"), text).unwrap();
    fs::write(
        server.work().join(&copy).join(".gitattributes"),
        "* filter=evil diff=evil\n",
    )
    .unwrap();
    git(server, &["-C", &copy, "add", "-A"]).succeed();
    git(server, &["-C", &copy, "commit", "-q", "-m", "first"]).succeed();
    git(
        server,
        &["-C", &copy, "push", "-q", &there, "HEAD:refs/heads/main"],
    )
    .succeed();
    path
}

/// A program that says that it ran.
fn evil(directory: &Path, name: &str, ran: &Path) -> String {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Standard output is git's: a filter that fails would be noticed.
    let script = format!("#!/bin/sh\ntouch '{}'\ncat\n", ran.display());
    fs::write(&path, script).unwrap();
    set_mode(&path, 0o755);
    path.display().to_string()
}

const HOOKS: &[&str] = &[
    "pre-receive",
    "update",
    "post-receive",
    "post-update",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "post-index-change",
    "pre-auto-gc",
    "fsmonitor-watchman",
    "post-checkout",
];

/// Settings that name programs, by what makes git run them. `PROGRAM` stands for one that says that it ran.
const SETTINGS: &[(&str, &[(&str, &str)])] = &[
    ("hooks elsewhere", &[("core.hooksPath", "HOOKS")]),
    ("a monitor", &[("core.fsmonitor", "PROGRAM")]),
    (
        "references of alternates",
        &[("core.alternateRefsCommand", "PROGRAM")],
    ),
    ("packing", &[("uploadpack.packObjectsHook", "PROGRAM")]),
    (
        "aliases and pagers",
        &[
            ("alias.upload-pack", "!PROGRAM"),
            ("alias.receive-pack", "!PROGRAM"),
            ("alias.pack-objects", "!PROGRAM"),
            ("alias.index-pack", "!PROGRAM"),
            ("core.pager", "PROGRAM"),
            ("pager.upload-pack", "PROGRAM"),
            ("pager.receive-pack", "PROGRAM"),
            ("pager.upload-archive", "PROGRAM"),
        ],
    ),
    (
        "signatures",
        &[
            ("receive.certNonceSeed", "seed"),
            ("gpg.program", "PROGRAM"),
            ("gpg.openpgp.program", "PROGRAM"),
            ("gpg.ssh.program", "PROGRAM"),
            ("gpg.x509.program", "PROGRAM"),
        ],
    ),
    (
        "a hook for some references",
        &[("receive.procReceiveRefs", "refs")],
    ),
    (
        "filters",
        &[
            ("filter.evil.clean", "PROGRAM"),
            ("filter.evil.smudge", "PROGRAM"),
            ("diff.evil.textconv", "PROGRAM"),
            ("diff.evil.command", "PROGRAM"),
            ("diff.external", "PROGRAM"),
            ("merge.evil.driver", "PROGRAM"),
        ],
    ),
    ("a filter that stays", &[("filter.evil.process", "PROGRAM")]),
    (
        "archive formats",
        &[
            ("tar.evil.command", "PROGRAM"),
            ("tar.evil.remote", "true"),
            ("tar.tar.gz.command", "PROGRAM"),
        ],
    ),
    (
        "objects that are elsewhere",
        &[
            ("core.repositoryFormatVersion", "1"),
            ("extensions.partialClone", "origin"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.url", "ext::PROGRAM"),
            ("remote.origin.uploadpack", "PROGRAM"),
            ("core.sshCommand", "PROGRAM"),
            ("core.gitProxy", "PROGRAM"),
            ("core.askPass", "PROGRAM"),
            ("credential.helper", "PROGRAM"),
            ("protocol.allow", "always"),
            ("protocol.ext.allow", "always"),
            ("uploadpack.allowAnySHA1InWant", "true"),
        ],
    ),
    (
        "cleaning up",
        &[
            ("receive.autogc", "true"),
            ("gc.auto", "1"),
            ("gc.recentObjectsHook", "PROGRAM"),
        ],
    ),
];

#[test]
fn nothing_that_a_repository_names_is_run() {
    let server = server();
    let path = repository(&server, &server.home(), "repo.git", "text");
    let other = repository(&server, &server.home(), "other.git", "other");
    let there = path.display().to_string();
    let alternates = format!("{}\n", other.join("objects").display());
    fs::write(path.join("objects/info/alternates"), alternates).unwrap();
    let ran = path.join("ran");
    let program = evil(&path, "program", &ran);
    for hook in HOOKS {
        evil(&path, &format!("evil-hooks/{hook}"), &ran);
    }
    let config = fs::read(path.join("config")).unwrap();
    let made = server.work().join("made-repo.git");
    let hooks = path.join("evil-hooks").display().to_string();
    for (round, (what, settings)) in SETTINGS.iter().enumerate() {
        for (name, value) in *settings {
            let value = value.replace("PROGRAM", &program).replace("HOOKS", &hooks);
            git(&server, &["--git-dir", &there, "config", name, &value]).succeed();
        }
        git(
            &server,
            &["clone", "-q", "server:repo.git", &format!("copy-{round}")],
        )
        .succeed();
        for format in ["tar", "tar.gz", "evil"] {
            let format = format!("--format={format}");
            let archive = [
                "archive",
                "--remote=server:repo.git",
                &format,
                "-o",
                "archive",
                "main",
            ];
            git(&server, &archive).finish();
        }
        assert!(!ran.exists(), "{what}: clone or archive");
        // An object that is nowhere: git would fetch it if it were let.
        let missing = format!("{round:040}");
        git(
            &server,
            &["-C", "made-other.git", "fetch", "server:repo.git", &missing],
        )
        .fail();
        assert!(!ran.exists(), "{what}: fetch");
        fs::write(made.join(format!("new-{round}")), "new").unwrap();
        git(&server, &["-C", "made-repo.git", "add", "-A"]).succeed();
        git(
            &server,
            &["-C", "made-repo.git", "commit", "-q", "-m", "new"],
        )
        .succeed();
        let target = format!("HEAD:refs/heads/b{round}");
        // Signed by a program of the client that always succeeds.
        let signer = server.client_home().join("signer");
        fs::write(
            &signer,
            "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\necho signature\n",
        )
        .unwrap();
        set_mode(&signer, 0o755);
        let signer = format!("gpg.program={}", signer.display());
        git(
            &server,
            &[
                "-c",
                &signer,
                "-C",
                "made-repo.git",
                "push",
                "-q",
                "--signed=if-asked",
            ],
        )
        .args(["server:repo.git", &target])
        .finish();
        assert!(!ran.exists(), "{what}: push");
        fs::write(path.join("config"), &config).unwrap();
    }
}

#[test]
fn hooks_do_not_stop_a_push() {
    let server = server();
    let path = repository(&server, &server.home(), "repo.git", "text");
    let ran = path.join("ran");
    for hook in HOOKS {
        evil(&path, &format!("hooks/{hook}"), &ran);
    }
    git(
        &server,
        &[
            "-C",
            "made-repo.git",
            "push",
            "-q",
            "server:repo.git",
            "HEAD:refs/heads/b",
        ],
    )
    .succeed();
    assert!(!ran.exists());
}

#[test]
fn the_repository_of_another_account_is_out_of_reach() {
    let server = server();
    let secret = repository(&server, &server.reader_home(), "secret.git", "the secret");
    let revision = fs::read_to_string(secret.join("refs/heads/main")).unwrap();
    let home = server.home();
    let own = |name: &str| {
        let path = home.join(name);
        git(
            &server,
            &["init", "-q", "--bare", &path.display().to_string()],
        )
        .succeed();
        fs::write(path.join("refs/heads/main"), &revision).unwrap();
        path
    };
    let objects = secret.join("objects").display().to_string();
    fs::write(
        own("alternates.git").join("objects/info/alternates"),
        format!("{objects}\n"),
    )
    .unwrap();
    let linked = own("linked.git");
    fs::remove_dir_all(linked.join("objects")).unwrap();
    symlink(secret.join("objects"), linked.join("objects")).unwrap();
    let packs = own("packs.git");
    fs::remove_dir_all(packs.join("objects/pack")).unwrap();
    symlink(secret.join("objects/pack"), packs.join("objects/pack")).unwrap();
    let common = own("common.git");
    fs::write(common.join("commondir"), format!("{}\n", secret.display())).unwrap();
    let file = home.join("file");
    fs::create_dir(&file).unwrap();
    fs::write(file.join(".git"), format!("gitdir: {}\n", secret.display())).unwrap();
    symlink(&secret, home.join("whole.git")).unwrap();
    let inner = home.join("inner");
    fs::create_dir(&inner).unwrap();
    symlink(&secret, inner.join(".git")).unwrap();
    let include = own("include.git");
    let config = fs::read_to_string(include.join("config")).unwrap();
    fs::write(
        include.join("config"),
        format!("{config}[include]\n\tpath = /etc/passwd\n"),
    )
    .unwrap();
    let reference = own("reference.git");
    fs::remove_file(reference.join("refs/heads/main")).unwrap();
    symlink("/etc/passwd", reference.join("refs/heads/main")).unwrap();
    let head = own("head.git");
    fs::write(
        head.join("HEAD"),
        format!("ref: ../../../{}\n", secret.join("HEAD").display()),
    )
    .unwrap();

    for name in [
        "alternates.git",
        "linked.git",
        "packs.git",
        "common.git",
        "file",
        "whole.git",
        "inner",
        "include.git",
        "reference.git",
        "head.git",
        "../reader/secret.git",
        "/../../reader/secret.git",
    ] {
        let cloned = git(&server, &["clone", "-q", &format!("server:{name}"), "copy"]).finish();
        let file = server.work().join("copy/file");
        assert!(!file.exists(), "{name}: {cloned}");
        assert!(!cloned.said().contains("root:"), "{name}: {cloned}");
        let _ = fs::remove_dir_all(server.work().join("copy"));
        // Nor is anything written there.
        let push = ["-C", "made-secret.git", "push", "-q", "-f"];
        let target = format!("server:{name}");
        git(&server, &push)
            .args([&target, "HEAD:refs/heads/new"])
            .finish();
        assert!(!secret.join("refs/heads/new").exists(), "{name}");
    }
}

#[test]
fn command_lines_that_are_no_transfer_are_refused() {
    let server = server();
    for line in [
        "git-upload-pack --exec=/bin/sh /r",
        "git-upload-pack --help",
        "git-receive-pack /a /b",
        "git-upload-pack",
        "git upload-pack /r",
        "/usr/bin/git-upload-pack /r",
        "rsync -a /etc/passwd x",
        "rsync --daemon",
        "rsync --server --daemon .",
        "rsync --server --sender -r --rsync-path=/bin/sh . /",
        "rsync --server -r --log-file=/tmp/x . /",
        "rsync --server --write-devices . /",
        "rsync --server --sender -e/bin/sh . /",
        "rsync --server --sender -r --files-from=/etc/passwd . /",
        "rsync --server --sender -rs.iLsfxCIvu",
        "rsync --server -r",
        "rsync --server -r . /a /b",
        "rsync --server -r --config=/etc/rsyncd.conf . /",
        "rsync `id`",
        "rsync; id",
    ] {
        let refused = server
            .openssh("ssh")
            .args(["server", line])
            .deadline(20)
            .fail();
        assert!(!refused.said().contains("uid="), "{line}");
        assert!(!refused.said().contains("root:"), "{line}");
    }
}

/// Whether anything of the other account, or of the system, is below a directory.
fn leaked(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return false;
    };
    entries.map(Result::unwrap).any(|entry| {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            return leaked(&path);
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        text.contains("the secret") || text.contains("root:")
    })
}

#[test]
fn rsync_reads_nothing_outside_the_home_and_of_the_home_only_what_was_named() {
    let server = server();
    let (home, work) = (server.home(), server.work());
    fs::create_dir_all(server.reader_home().join("d")).unwrap();
    fs::write(server.reader_home().join("d/f"), "the secret").unwrap();
    fs::create_dir(home.join("d")).unwrap();
    fs::write(home.join("beside"), "the secret").unwrap();
    symlink("/etc/passwd", home.join("d/passwd")).unwrap();
    symlink("../../reader/d", home.join("d/dir")).unwrap();
    symlink("../beside", home.join("d/beside")).unwrap();
    symlink(server.reader_home(), home.join("there")).unwrap();
    fs::write(
        work.join("list"),
        "../beside\n../../reader/d/f\n/etc/passwd\ndir/f\npasswd\n",
    )
    .unwrap();
    let attempts: &[&[&str]] = &[
        &["-r", "server:d/", "down"],
        &["-rL", "server:d/", "down"],
        &["-rk", "server:d/", "down"],
        &["-r", "--copy-unsafe-links", "server:d/", "down"],
        &["-rL", "server:d/passwd", "down/"],
        &["-r", "server:there/", "down"],
        &["-r", "server:../reader/", "down"],
        &["-r", "server:/../../../../etc/passwd", "down/"],
        &["-rR", "server:d/./../../reader/", "down"],
        &["-rR", "server:d/../../../etc/passwd", "down"],
        &["-r", "--files-from=list", "server:d/", "down"],
        &["-rL", "--files-from=list", "server:d/", "down"],
        &[
            "-rL",
            "--no-relative",
            "--files-from=list",
            "server:d/",
            "down",
        ],
        &["-rL", "server:d/*", "down"],
        &["-rL", "server:d/dir/*", "down"],
        &["-r", "--filter=dir-merge /etc/passwd", "server:d/", "down"],
        &["-r", "--filter=: ../beside", "server:d/", "down"],
        &["-r", "--compare-dest=/etc", "server:d/", "down"],
        &["-rR", "--no-implied-dirs", "server:d/./dir/f", "down"],
        &["-rR", "--no-implied-dirs", "server:there/./d/f", "down"],
        &["-r", "--remove-source-files", "server:there/d/f", "down"],
        &["-rL", "--remove-source-files", "server:d/", "down"],
    ];
    for attempt in attempts {
        let run = rsync(&server, attempt).deadline(60).finish();
        assert!(!leaked(&work.join("down")), "{run}");
        assert!(
            !run.said().contains("root:") && !run.said().contains("the secret"),
            "{run}"
        );
        let _ = fs::remove_dir_all(work.join("down"));
    }
    assert!(server.reader_home().join("d/f").exists());
}

#[test]
fn rsync_writes_nothing_outside_the_destination() {
    let server = server();
    let (home, work) = (server.home(), server.work());
    let theirs = server.reader_home();
    fs::create_dir_all(work.join("up/dir")).unwrap();
    fs::write(work.join("up/dir/f"), "mine").unwrap();
    fs::write(work.join("up/f"), "mine").unwrap();
    fs::create_dir(home.join("d")).unwrap();
    fs::create_dir(home.join("e")).unwrap();
    let link = |name: &str, to: &Path| symlink(to, home.join("d").join(name)).unwrap();
    link("dir", &theirs);
    link("f", &theirs.join("g"));
    symlink(&theirs, home.join("there")).unwrap();
    symlink(theirs.join("new"), home.join("dangling")).unwrap();
    let attempts: &[&[&str]] = &[
        &["-rK", "up/", "server:d/"],
        &["-r", "--inplace", "up/", "server:d/"],
        &["-rK", "--inplace", "--append", "up/", "server:d/"],
        &["-rR", "up/dir/../../work/up/f", "server:d/"],
        &["-r", "up/", "server:there/"],
        &["-r", "up/", "server:there"],
        &["-r", "up/", "server:dangling/"],
        &["-r", "--inplace", "up/f", "server:dangling"],
        &["-r", "up/", "server:../reader/"],
        &["-r", "--mkpath", "up/", "server:/../../reader/x/y/"],
        &["-rK", "--delete", "empty/", "server:d/"],
        &["-r", "-b", "--backup-dir=dir", "up/", "server:d/"],
        &["-r", "--partial-dir=dir", "up/", "server:d/"],
        &["-r", "--temp-dir=dir", "up/", "server:d/"],
        &["-rI", "--copy-dest=dir", "up/", "server:d/"],
        &["-r", "--link-dest=dir", "up/", "server:d/"],
        &["-rR", "--no-implied-dirs", "up/./dir/f", "server:d/"],
        &[
            "-r",
            "--delay-updates",
            "--partial-dir=dir",
            "up/",
            "server:d/",
        ],
    ];
    fs::create_dir(work.join("empty")).unwrap();
    fs::write(theirs.join("keep"), "theirs").unwrap();
    for attempt in attempts {
        let run = rsync(&server, attempt).deadline(60).finish();
        let names: Vec<_> = fs::read_dir(&theirs)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["keep"], "{run}");
    }
    assert_eq!(fs::read_dir(home.join("e")).unwrap().count(), 0);
}
