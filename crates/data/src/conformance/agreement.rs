//! Drivers agree: whatever is done to one and to the other, both say the same.

use std::sync::Arc;

use proptest::prelude::*;
use sftpgo_model::{UnixMillis, UserRecord};

use super::samples::{everybody, full_user, user};
use super::{memory, sqlite_memory};
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
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    // Few names and ids, so that steps meet.
    let name = || prop_oneof!["[abA]", "é|'", ".{0,3}"];
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
            proptest::option::of(name())
        )
            .prop_map(|(limit, offset, descending, name)| Step::Page {
                limit,
                offset,
                descending,
                name
            }),
    ]
}

/// What a step says, in a form that can be compared.
async fn take(provider: &Arc<dyn DataProvider>, step: &Step) -> String {
    fn said<T: std::fmt::Debug>(result: crate::DataResult<T>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(error) => format!("{:?}", error.kind()),
        }
    }
    fn account(name: &str, full: bool) -> UserRecord {
        if full { full_user(name) } else { user(name) }
    }
    match step.clone() {
        Step::Add { name, full } => {
            let added = provider.add_user(&account(&name, full)).await;
            said(added.map(|record| serde_json::to_string(&record).unwrap()))
        }
        Step::Update { id, limit, full } => {
            let record = UserRecord {
                id,
                quota_files: limit,
                quota_size: 2 * limit,
                ..account("x", full)
            };
            said(provider.update_user(&record).await)
        }
        Step::Delete { id } => said(provider.delete_user(id).await),
        Step::Login { name, at } => said(provider.set_last_login(&name, UnixMillis(at)).await),
        Step::Reserve { name, delta, at } => {
            said(provider.reserve_quota(&name, delta, UnixMillis(at)).await)
        }
        Step::AddQuota { name, delta, at } => {
            said(provider.add_quota(&name, delta, UnixMillis(at)).await)
        }
        Step::SetQuota { name, files, bytes } => {
            said(provider.set_quota(&name, files, bytes, UnixMillis(7)).await)
        }
        Step::Page {
            limit,
            offset,
            descending,
            name,
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
            };
            said(
                provider
                    .users(&query)
                    .await
                    .map(|users| serde_json::to_string(&users).unwrap()),
            )
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_sqlite_agree_on_every_step(steps in proptest::collection::vec(any_step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (left, right) = (memory::open().await, sqlite_memory::open().await);
            for step in &steps {
                let (left, right) = (take(&left.provider, step).await, take(&right.provider, step).await);
                prop_assert_eq!(left, right, "{:?}", step);
            }
            let (left_users, right_users) = (
                left.provider.users(&everybody()).await.unwrap(),
                right.provider.users(&everybody()).await.unwrap(),
            );
            prop_assert!(left_users == right_users);
            right.provider.close().await;
            Ok(())
        })?;
    }
}
