//! Drivers agree: whatever is done to one and to the other, both say the same.

use std::sync::Arc;

use proptest::prelude::*;
use sftpgo_model::{UnixMillis, UserRecord};

use super::samples::{change, everybody, full_user, user};
use super::{Fixture, memory, mysql, postgresql, sqlite_memory};
use crate::provider::{DataProvider, QuotaDelta, SortOrder, UserQuery};

#[derive(Debug, Clone)]
enum Step {
    Add {
        name: String,
        full: bool,
    },
    Update {
        id: i64,
        limit: i64,
        full: bool,
    },
    Delete {
        id: i64,
    },
    Login {
        name: String,
        at: i64,
    },
    Reserve {
        name: String,
        delta: QuotaDelta,
        at: i64,
    },
    AddQuota {
        name: String,
        delta: QuotaDelta,
        at: i64,
    },
    SetQuota {
        name: String,
        files: i64,
        bytes: i64,
    },
    Page {
        limit: u32,
        offset: u32,
        descending: bool,
        name: Option<String>,
        after: Option<String>,
        search: Option<String>,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    // Few names and ids, so that steps meet.
    // Without the one sign that PostgreSQL cannot store, and no account may have.
    let name = || prop_oneof!["[abA]", "é|'", r"[^\x00\n]{0,3}", "[aé] ?"];
    let id = || 0..6_i64;
    let count = || prop_oneof![4 => -20..20_i64, 1 => any::<i64>()];
    let delta = move || (count(), count()).prop_map(|(files, bytes)| QuotaDelta { files, bytes });
    let at = || 0..1000_i64;
    prop_oneof![
        (name(), any::<bool>()).prop_map(|(name, full)| Step::Add { name, full }),
        (id(), -2..15_i64, any::<bool>()).prop_map(|(id, limit, full)| Step::Update {
            id,
            limit,
            full
        }),
        id().prop_map(|id| Step::Delete { id }),
        (name(), at()).prop_map(|(name, at)| Step::Login { name, at }),
        (name(), delta(), at()).prop_map(|(name, delta, at)| Step::Reserve { name, delta, at }),
        (name(), delta(), at()).prop_map(|(name, delta, at)| Step::AddQuota { name, delta, at }),
        (name(), count(), count()).prop_map(|(name, files, bytes)| Step::SetQuota {
            name,
            files,
            bytes
        }),
        (
            0..4_u32,
            0..4_u32,
            any::<bool>(),
            [0.3, 0.5, 0.5].map(|often| proptest::option::weighted(often, name()))
        )
            .prop_map(|(limit, offset, descending, [name, after, search])| {
                Step::Page {
                    limit,
                    offset,
                    descending,
                    name,
                    after,
                    search,
                }
            }),
    ]
}

/// A provider, and the ids it gave in their order. Drivers give ascending ids, but not the same.
struct Side<'a> {
    provider: &'a Arc<dyn DataProvider>,
    ids: Vec<i64>,
}

impl Side<'_> {
    /// The id of the account that was added as number `index`, or one that nobody has.
    fn id(&self, index: i64) -> i64 {
        let index = usize::try_from(index).unwrap();
        self.ids.get(index).copied().unwrap_or(i64::MAX)
    }

    /// The account in text, with its number in place of its id.
    fn shown(&self, record: UserRecord) -> String {
        let number = self.ids.iter().position(|id| *id == record.id).unwrap();
        let id = i64::try_from(number).unwrap();
        serde_json::to_string(&UserRecord { id, ..record }).unwrap()
    }

    /// What a step says, in a form that can be compared.
    async fn take(&mut self, step: &Step) -> String {
        let provider = self.provider;
        match step.clone() {
            Step::Add { name, full } => {
                let added = provider.add_user(&account(&name, full)).await;
                said(added.map(|record| {
                    assert!(self.ids.iter().all(|id| *id < record.id));
                    self.ids.push(record.id);
                    self.shown(record)
                }))
            }
            Step::Update { id, limit, full } => {
                let record = UserRecord {
                    id: self.id(id),
                    quota_files: limit,
                    quota_size: 2 * limit,
                    ..account("x", full)
                };
                said(provider.update_user(&record).await)
            }
            Step::Delete { id } => said(provider.delete_user(self.id(id)).await),
            Step::Login { name, at } => said(provider.set_last_login(&name, UnixMillis(at)).await),
            Step::Reserve { name, delta, at } => {
                let change = change(&name, delta, UnixMillis(at));
                said(provider.reserve_quota(&change).await)
            }
            Step::AddQuota { name, delta, at } => {
                let change = change(&name, delta, UnixMillis(at));
                said(provider.add_quota(&change).await)
            }
            Step::SetQuota { name, files, bytes } => {
                said(provider.set_quota(&name, files, bytes, UnixMillis(7)).await)
            }
            Step::Page {
                limit,
                offset,
                descending,
                name,
                after,
                search,
            } => {
                let order = if descending {
                    SortOrder::Descending
                } else {
                    SortOrder::Ascending
                };
                let query = UserQuery {
                    limit,
                    offset,
                    order,
                    username: name,
                    after,
                    search,
                };
                self.page(&query).await
            }
        }
    }

    async fn page(&self, query: &UserQuery) -> String {
        let page = self.provider.users(query).await;
        said(page.map(|users| {
            let users = users.into_iter().map(|user| self.shown(user));
            users.collect::<Vec<_>>()
        }))
    }
}

fn said<T: std::fmt::Debug>(result: crate::DataResult<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn account(name: &str, full: bool) -> UserRecord {
    if full { full_user(name) } else { user(name) }
}

/// Takes every step on both sides, as long as they say the same.
async fn compare(left: &Fixture, right: &Fixture, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut sides = [left, right].map(|fixture| Side {
        provider: &fixture.provider,
        ids: Vec::new(),
    });
    let [left, right] = &mut sides;
    for step in steps {
        let (left, right) = (left.take(step).await, right.take(step).await);
        prop_assert_eq!(left, right, "{:?}", step);
    }
    let (all_left, all_right) = (
        left.page(&everybody()).await,
        right.page(&everybody()).await,
    );
    prop_assert_eq!(all_left, all_right);
    right.provider.close().await;
    Ok(())
}

fn run(work: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_sqlite_agree_on_every_step(steps in proptest::collection::vec(any_step(), 1..60)) {
        run(async { compare(&memory::open().await, &sqlite_memory::open().await, &steps).await })?;
    }

    #[test]
    fn memory_and_bolt_agree_on_every_step(steps in proptest::collection::vec(any_step(), 1..60)) {
        run(async {
            let bolt = Fixture {
                provider: crate::kv::bolt::tests::in_memory().await,
                _held: Box::new(()),
            };
            compare(&memory::open().await, &bolt, &steps).await
        })?;
    }
}

// Each case has a database of its own, which takes its time.
proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_postgresql_agree_on_every_step(steps in proptest::collection::vec(any_step(), 30..70)) {
        run(async { compare(&memory::open().await, &postgresql::open().await, &steps).await })?;
    }

    #[test]
    fn memory_and_mysql_agree_on_every_step(steps in proptest::collection::vec(any_step(), 30..70)) {
        run(async { compare(&memory::open().await, &mysql::open().await, &steps).await })?;
    }
}
