//! Faults at every stage: there is the old object or the new one, never a part; a client is told, unless it worked in the end;
//! nothing stays open at the store; and the counters say what is there.

use sftpgo_testkit::{FileClient as _, Sftp, Usage, until};
use sftpgo_wire::sftp::Attrs;

use super::fault::{Fault, Stage, is_made_again};
use super::*;

const OLD: &[u8] = b"what was there before";
/// More than a part, so that it is sent in two.
const LARGE: u64 = 5_500_000;
/// Times that a call is made.
const ATTEMPTS: usize = 6;

/// One fault at one stage of one store, and a client on the other side of the server.
struct Case {
    kind: StoreKind,
    stage: Stage,
    operation: &'static str,
    fault: Fault,
    /// At every call, and not only at the first one.
    for_ever: bool,
    bucket: Bucket,
    proxy: Proxy,
    name: String,
}

impl Case {
    async fn new(
        (kind, stage, operation): (StoreKind, Stage, &'static str),
        fault: Fault,
        for_ever: bool,
        name: String,
    ) -> Self {
        let bucket = Bucket::new(kind).await;
        Self {
            kind,
            stage,
            operation,
            fault,
            for_ever,
            proxy: proxy_before(&bucket).await,
            bucket,
            name,
        }
    }

    /// What the client was told is true of what is there: it worked, or it was refused where it had to be.
    fn judge(&self, answer: &Answer<()>) {
        if !self.for_ever {
            // Tried again it works.
            let works = answer.is_ok() || !is_made_again(self.kind, self.stage);
            assert!(works, "{self}: {answer:?}");
        } else if !self.fault.may_be_harmless() {
            let refused = answer.as_ref().err().map(|refused| refused.kind);
            assert_eq!(refused, Some(Refusal::Failed), "{self}");
        }
    }

    /// Whatever the client was told, and whatever the server was not told.
    async fn is_counted(&self, server: &TestServer) {
        self.proxy.take_away_rules();
        let mut there = Usage { files: 0, bytes: 0 };
        for key in self.bucket.keys().await {
            let content = self.bucket.content(&key).await.unwrap_or_default();
            there.files += 1;
            there.bytes += i64::try_from(content.len()).unwrap();
        }
        assert_eq!(server.quota(&self.name).await, there, "{self}");
    }

    /// The new content if the client was told that it is there; else that, or the old one.
    async fn is_replaced(&self, answer: &Answer<()>, new: &[u8]) {
        let there = self.bucket.content("file").await.unwrap();
        if answer.is_ok() {
            assert!(there == new, "{self}: it is not there");
        } else {
            assert!(
                there == new || there == OLD,
                "{self}: a part of it is there"
            );
        }
        assert_eq!(self.bucket.keys().await, ["file"], "{self}");
        // One whose name got lost with the answer can be found only by those who look for it later.
        let is_nameless = self.stage == Stage::Begin && self.fault.loses_the_answer();
        let nameless = match (is_nameless, self.for_ever) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => ATTEMPTS,
        };
        let what = format!("{self}: the end of uploads");
        until(&what, async || {
            self.bucket.open_uploads().await.len() <= nameless
        })
        .await;
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let often = if self.for_ever { "every" } else { "one" };
        write!(f, "{:?} at {often} {:?}", self.fault, self.stage)?;
        write!(f, " of {:?}", self.kind)
    }
}

/// Plays with every fault at these stages, once and for ever, in every store: all side by side, since failing takes its time. Each
/// has a home of its own with a file in it; `scenario` begins the faults.
async fn each(stages: &[Stage], scenario: impl AsyncFn(&Case, &mut Sftp)) {
    let server = TestServer::start().await;
    let mut cases = Vec::new();
    for kind in StoreKind::ALL {
        for stage in stages {
            let Some(operation) = stage.operation(*kind) else {
                continue;
            };
            for fault in Fault::ALL {
                for for_ever in [false, true] {
                    let name = format!("user{}", cases.len());
                    let case = Case::new((*kind, *stage, operation), fault, for_ever, name).await;
                    let filesystem = case.bucket.filesystem_by(case.proxy.address());
                    let account = Account::new(&case.name).with("filesystem", filesystem);
                    server.add(account).await;
                    cases.push(case);
                }
            }
        }
    }
    let playing = cases.iter().map(|case| {
        let (server, scenario) = (&server, &scenario);
        async move {
            let mut client = server.sftp(&case.name).await;
            client.put(b"/file", OLD).await.unwrap();
            let rule = case.fault.rule(case.kind, case.operation, case.for_ever);
            let placed = case.proxy.place(rule);
            scenario(case, &mut client).await;
            assert!(placed.applied() > 0, "{case}: nothing went wrong");
            case.is_counted(server).await;
        }
    });
    futures_util::future::join_all(playing).await;
}

#[tokio::test]
async fn a_fault_at_any_call_of_an_upload_leaves_the_old_file_or_the_new_one() {
    let (small, large) = (content(70_000), content(LARGE));
    let stages = [
        Stage::Look,
        Stage::Put,
        Stage::Begin,
        Stage::Part,
        Stage::Complete,
    ];
    each(&stages, async |case, client| {
        let is_in_parts = matches!(case.stage, Stage::Begin | Stage::Part | Stage::Complete);
        let new = if is_in_parts { &large } else { &small };
        let answer = client.put(b"/file", new).await;
        case.judge(&answer);
        case.is_replaced(&answer, new).await;
    })
    .await;
}

#[tokio::test]
async fn a_fault_at_a_read_is_told_or_the_file_is_right() {
    each(&[Stage::Get], async |case, client| {
        let answer = client.get(b"/file").await;
        if let Ok(read) = &answer {
            assert_eq!(read, OLD, "{case}");
        }
        case.judge(&answer.map(drop));
    })
    .await;
}

#[tokio::test]
async fn a_fault_at_a_listing_is_told_or_the_names_are_all_there() {
    each(&[Stage::List], async |case, client| {
        let answer = client.list(b"/").await;
        if let Ok(entries) = &answer {
            let names: Vec<_> = entries.iter().map(|entry| &entry.name[..]).collect();
            assert_eq!(names, [b"file"], "{case}");
        }
        case.judge(&answer.map(drop));
    })
    .await;
}

#[tokio::test]
async fn a_fault_at_a_copy_or_a_removal_loses_nothing_of_a_file_that_is_renamed() {
    each(&[Stage::Copy, Stage::Delete], async |case, client| {
        let answer = client.rename(b"/file", b"/moved").await;
        case.judge(&answer);
        is_moved(case, &answer).await;
    })
    .await;
}

/// It has its old name, its new one, or both; and is whole.
async fn is_moved(case: &Case, answer: &Answer<()>) {
    let old = case.bucket.content("file").await;
    let new = case.bucket.content("moved").await;
    if answer.is_ok() {
        assert_eq!(old, None, "{case}");
    }
    assert!(old.is_some() || new.is_some(), "{case}: it is gone");
    for there in [old, new].into_iter().flatten() {
        assert_eq!(there, OLD, "{case}");
    }
}

#[tokio::test]
async fn a_fault_at_a_removal_is_told_or_the_file_is_gone() {
    each(&[Stage::Delete], async |case, client| {
        let answer = client.remove_file(b"/file").await;
        case.judge(&answer);
        let there = case.bucket.content("file").await;
        assert!(there.is_none() || answer.is_err(), "{case}");
        assert!(there.is_none_or(|there| there == OLD), "{case}");
    })
    .await;
}

#[tokio::test]
async fn a_fault_keeps_the_file_whose_time_is_set() {
    each(&[Stage::Change], async |case, client| {
        let times = Attrs {
            times: Some((1_000_000_000, 1_000_000_000)),
            ..Attrs::EMPTY
        };
        let answer = client.setstat(b"/file", &times).await;
        case.judge(&answer);
        assert_eq!(case.bucket.content("file").await.unwrap(), OLD, "{case}");
        if answer.is_ok() {
            let modified = client.stat(b"/file").await.unwrap().modified;
            assert_eq!(modified, Some(1_000_000_000), "{case}");
        }
    })
    .await;
}
