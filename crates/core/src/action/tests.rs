//! What is told, and what the queue does with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::pending;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use sftpgo_model::{FileEvent, UserEvent, UserRecord};
use tokio::sync::Semaphore;

use super::file::{FileAction, Place};
use super::queue::{Bounds, Queue, Yard};
use super::user::UserAction;

fn place(path: &[u8]) -> Place {
    Place {
        path: path.to_vec(),
        local: true,
    }
}

fn uploaded(size: u64) -> FileAction {
    FileAction {
        event: FileEvent::Upload,
        username: "alice".to_owned(),
        place: place(b"/srv/alice/a.txt"),
        target: None,
        command: None,
        size,
    }
}

fn arguments(action: &FileAction) -> Vec<OsString> {
    action.message().arguments
}

fn query(action: &FileAction) -> Vec<(&'static str, String)> {
    let query = action.message().query;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    query
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

#[test]
fn there_are_always_five_arguments_and_seven_variables() {
    assert_eq!(
        arguments(&uploaded(10)),
        ["upload", "alice", "/srv/alice/a.txt", "", ""]
    );
    let variables: BTreeMap<_, _> = uploaded(10).message().variables.into_iter().collect();
    let expected = [
        ("SFTPGO_ACTION", "upload"),
        ("SFTPGO_ACTION_FILE_SIZE", "10"),
        ("SFTPGO_ACTION_LOCAL_FILE", "true"),
        ("SFTPGO_ACTION_PATH", "/srv/alice/a.txt"),
        ("SFTPGO_ACTION_SSH_CMD", ""),
        ("SFTPGO_ACTION_TARGET", ""),
        ("SFTPGO_ACTION_USERNAME", "alice"),
    ];
    assert_eq!(
        variables,
        BTreeMap::from(expected.map(|(name, value)| (name, OsString::from(value))))
    );
    let renamed = FileAction {
        event: FileEvent::Rename,
        target: Some(place(b"/srv/alice/b")),
        ..uploaded(0)
    };
    assert_eq!(
        arguments(&renamed),
        ["rename", "alice", "/srv/alice/a.txt", "/srv/alice/b", ""]
    );
    let variables: BTreeMap<_, _> = renamed.message().variables.into_iter().collect();
    assert_eq!(variables["SFTPGO_ACTION_TARGET"], "/srv/alice/b");
    assert_eq!(variables["SFTPGO_ACTION_FILE_SIZE"], "");
}

#[test]
fn a_query_has_what_is_known_in_the_order_of_names() {
    let upload = query(&uploaded(10));
    let names: Vec<_> = upload.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["action", "file_size", "local_file", "path", "username"]
    );
    assert!(
        query(&uploaded(0))
            .iter()
            .all(|(name, _)| *name != "file_size")
    );
    let key = FileAction {
        event: FileEvent::Download,
        place: Place {
            path: b"/prefix/a.txt".to_vec(),
            local: false,
        },
        ..uploaded(0)
    };
    assert!(query(&key).contains(&("local_file", "false".to_owned())));
    let command = FileAction {
        event: FileEvent::SshCommand,
        place: place(b""),
        command: Some("pwd".to_owned()),
        ..uploaded(0)
    };
    assert!(query(&command).contains(&("path", String::new())));
    assert!(query(&command).contains(&("ssh_cmd", "pwd".to_owned())));
}

#[test]
fn names_are_told_byte_by_byte() {
    let name = b"/srv/-\xff\n'\"$(x)".to_vec();
    let action = FileAction {
        place: place(&name),
        ..uploaded(1)
    };
    let message = action.message();
    let expected = OsString::from_vec(name.clone());
    assert_eq!(message.arguments[2], expected);
    assert!(
        message
            .variables
            .contains(&("SFTPGO_ACTION_PATH", expected))
    );
    assert!(message.query.contains(&("path", name)));
}

#[test]
fn a_program_is_told_the_hash_of_an_account_and_a_url_is_not() {
    let user = UserRecord {
        id: 7,
        status: 1,
        username: "alice".to_owned(),
        password: "$argon2id$hash".to_owned(),
        home_dir: "/srv/alice".to_owned(),
        ..UserRecord::default()
    };
    let event = UserEvent::Add;
    let message = UserAction { event, user }.message().unwrap();
    assert_eq!(
        message.arguments,
        ["add", "alice", "7", "1", "0", "/srv/alice", "0", "0"]
    );
    let variables: BTreeMap<_, _> = message.variables.into_iter().collect();
    assert_eq!(variables.len(), 15);
    assert_eq!(variables["SFTPGO_USER_PASSWORD"], "$argon2id$hash");
    assert_eq!(variables["SFTPGO_USER_FS_PROVIDER"], "0");
    assert_eq!(message.query, [("action", b"add".to_vec())]);
    let body = String::from_utf8(message.body.unwrap().to_vec()).unwrap();
    assert!(
        body.contains(r#""username":"alice""#) && !body.contains("hash"),
        "{body}"
    );
}

fn yard() -> Yard {
    Yard::new(Arc::default())
}

const fn bounds(running: usize, waiting: usize) -> Bounds {
    Bounds {
        running,
        waiting,
        setting: "max_waiting",
    }
}

/// Takes no more, and waits until nothing is left.
async fn ended(yard: &Yard) {
    yard.closing.cancel();
    yard.tasks.close();
    yard.tasks.wait().await;
}

#[tokio::test]
async fn one_at_a_time_is_in_order_and_the_end_waits_for_all() {
    let (yard, done) = (yard(), Arc::<Mutex<Vec<u32>>>::default());
    let into = Arc::clone(&done);
    let queue = Queue::start(&yard, bounds(1, 100), move |number| {
        let into = Arc::clone(&into);
        async move {
            tokio::task::yield_now().await;
            into.lock().push(number);
        }
    });
    (0..100).for_each(|number| queue.push(number));
    ended(&yard).await;
    assert_eq!(*done.lock(), (0..100).collect::<Vec<_>>());
    assert_eq!(yard.metrics.actions_dropped.value(), 0);
    // It is over.
    queue.push(1);
    assert_eq!(yard.lost.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn no_more_run_than_may_and_what_finds_no_place_is_dropped_and_counted() {
    const RUNNING: usize = 3;
    const WAITING: usize = 5;
    let (yard, gate) = (yard(), Arc::new(Semaphore::new(0)));
    let (runs, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let queue = {
        let (gate, runs, most) = (Arc::clone(&gate), Arc::clone(&runs), Arc::clone(&most));
        Queue::start(&yard, bounds(RUNNING, WAITING), move |_: u32| {
            let (gate, runs, most) = (Arc::clone(&gate), Arc::clone(&runs), Arc::clone(&most));
            async move {
                let now = runs.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                runs.fetch_sub(1, Ordering::SeqCst);
            }
        })
    };
    // One is in the hands of whoever starts them.
    let places = RUNNING + 1 + WAITING;
    for number in 0..places {
        queue.push(u32::try_from(number).unwrap());
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(yard.metrics.actions_dropped.value(), 0);
    (0..7).for_each(|number| queue.push(number));
    assert_eq!(yard.metrics.actions_dropped.value(), 7);
    assert_eq!(most.load(Ordering::SeqCst), RUNNING);
    gate.add_permits(places);
    ended(&yard).await;
    assert_eq!(most.load(Ordering::SeqCst), RUNNING);
    assert_eq!(yard.lost.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_is_given_up_is_counted_whether_it_ran_or_waited() {
    let yard = yard();
    let queue = Queue::start(&yard, bounds(2, 10), |_: u32| pending());
    for number in 0..8 {
        queue.push(number);
        tokio::task::yield_now().await;
    }
    yard.given_up.cancel();
    ended(&yard).await;
    assert_eq!(yard.lost.load(Ordering::Relaxed), 8);
    assert_eq!(yard.metrics.actions_dropped.value(), 8);
}
