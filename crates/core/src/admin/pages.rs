//! All accounts, a page at a time.

use std::sync::Arc;

use sftpgo_data::{DataProvider, DataResult, UserQuery};
use sftpgo_model::UserRecord;

/// Accounts read at a time.
const PAGE: u32 = 500;

/// Goes through all accounts in the order of their names. Accounts that are there all the time come once each, whoever
/// else is added or removed meanwhile.
#[derive(Debug)]
pub(super) struct UserPages {
    provider: Arc<dyn DataProvider>,
    /// The last one that was given.
    after: Option<String>,
}

impl UserPages {
    pub(super) fn new(provider: Arc<dyn DataProvider>) -> Self {
        Self {
            provider,
            after: None,
        }
    }

    /// The next accounts, at most [`PAGE`]; empty at the end.
    pub(super) async fn next(&mut self) -> DataResult<Vec<UserRecord>> {
        let query = UserQuery {
            limit: PAGE,
            after: self.after.clone(),
            ..UserQuery::default()
        };
        let page = self.provider.users(&query).await?;
        if let Some(last) = page.last() {
            self.after = Some(last.username.clone());
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use sftpgo_data::MemoryProvider;

    use super::*;

    fn named(number: u32) -> UserRecord {
        UserRecord {
            username: format!("{number:06}"),
            ..UserRecord::default()
        }
    }

    async fn rest(pages: &mut UserPages) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            let page = pages.next().await.unwrap();
            if page.is_empty() {
                return names;
            }
            names.extend(page.into_iter().map(|user| user.username));
        }
    }

    fn provider_of(numbers: impl Iterator<Item = u32>) -> Arc<dyn DataProvider> {
        let users = numbers.map(named).collect();
        Arc::new(MemoryProvider::with_users(users).unwrap())
    }

    #[tokio::test]
    async fn every_account_comes_once_in_the_order_of_names() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 3 * PAGE + 7] {
            let expected: Vec<_> = (0..count).map(|number| named(number).username).collect();
            let mut pages = UserPages::new(provider_of(0..count));
            assert_eq!(rest(&mut pages).await, expected, "{count}");
        }
    }

    #[tokio::test]
    async fn accounts_that_come_and_go_meanwhile_make_nobody_else_slip_past() {
        for (gone, come) in [(0..400, 0..0), (0..0, 100_000..100_001), (400..2000, 0..0)] {
            let provider = provider_of((10_000..12_500).step_by(1));
            let mut pages = UserPages::new(Arc::clone(&provider));
            let first = pages.next().await.unwrap();
            let mut seen: Vec<_> = first.into_iter().map(|user| user.username).collect();
            for number in gone.clone() {
                let name = named(10_000 + number).username;
                let user = provider.user_by_name(&name).await.unwrap().unwrap();
                provider.delete_user(user.id).await.unwrap();
            }
            for number in come {
                for before in 0..1200 {
                    let user = named(before * 7 % 10_000);
                    let _ = provider.add_user(&user).await;
                }
                provider.add_user(&named(number)).await.unwrap();
            }
            seen.extend(rest(&mut pages).await);
            let stayed = (0..2500)
                .filter(|number| !gone.contains(number))
                .map(|number| named(10_000 + number).username);
            for name in stayed {
                let times = seen.iter().filter(|seen| **seen == name).count();
                assert_eq!(times, 1, "{name}, gone: {gone:?}");
            }
        }
    }
}
