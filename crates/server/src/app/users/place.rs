//! [`Place`]: where users are that a command works on. Both keep the same rules, which are the server's.

use std::sync::Arc;

use sftpgo_client::{Client, NewPassword};
use sftpgo_core::admin::{AdminError, AdminErrorKind, UserAdmin};
use sftpgo_core::data::{SortOrder, UserQuery};
use sftpgo_core::model::UserRecord;
use sftpgo_data::DataProvider;
use sftpgo_data::config::{DataProviderSettings, Driver};

use crate::app::target::{Target, client};
use crate::app::{AppError, provider};

/// Users that are read at a time.
const PAGE: u32 = 500;

/// Where users are.
#[derive(Debug)]
pub(super) enum Place {
    /// In a data provider, which a server may use too.
    Provider {
        users: UserAdmin,
        provider: Arc<dyn DataProvider>,
    },
    /// On a running server.
    Server(Box<Client>),
}

impl Place {
    pub(super) async fn open(target: Target) -> Result<Self, AppError> {
        match target {
            Target::Provider(settings) => Self::provider(&settings.data_provider).await,
            Target::Server(server) => Ok(Self::Server(Box::new(client(*server).await?))),
        }
    }

    async fn provider(settings: &DataProviderSettings) -> Result<Self, AppError> {
        if settings.driver == Driver::Memory {
            return Err(AppError::new(
                "the users of the memory data provider live in the running server only: manage them with --url, which \
                 uses its REST API, or in the file of data_provider.name",
            ));
        }
        let provider = provider::open(settings).await?.provider;
        let directories = provider::directories(settings);
        let users = UserAdmin::new(Arc::clone(&provider), settings.manage_users, directories);
        Ok(Self::Provider { users, provider })
    }

    /// Whoever opened it closes it.
    pub(super) async fn close(self) {
        match self {
            Self::Provider { provider, .. } => DataProvider::close(&*provider).await,
            Self::Server(_) => {}
        }
    }

    /// The user of that name, as replies show it.
    pub(super) async fn find(&self, name: &str) -> Result<Option<UserRecord>, AppError> {
        match self {
            Self::Provider { users, .. } => found(users.by_name(name).await),
            Self::Server(client) => client.user(name).await.map_err(AppError::new),
        }
    }

    /// The user of that name in the form that [`change`](Self::change) takes: from a data provider with its secrets.
    pub(super) async fn find_whole(&self, name: &str) -> Result<Option<UserRecord>, AppError> {
        match self {
            Self::Provider { users, .. } => found(users.stored_by_name(name).await),
            Self::Server(_) => self.find(name).await,
        }
    }

    /// All users, as replies show them.
    pub(super) async fn all(&self) -> Result<Vec<UserRecord>, AppError> {
        let mut all: Vec<UserRecord> = Vec::new();
        loop {
            let last = all.last().map(|user| user.username.as_str());
            let page = match self {
                Self::Provider { users, .. } => {
                    let query = UserQuery {
                        limit: PAGE,
                        order: SortOrder::Ascending,
                        after: last.map(str::to_owned),
                        ..UserQuery::default()
                    };
                    users.list(&query).await.map_err(AppError::new)?
                }
                Self::Server(client) => client.users_after(last).await.map_err(AppError::new)?,
            };
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Adds a user, unless the name is taken; gives it back as replies show it.
    pub(super) async fn add(&self, user: UserRecord) -> Result<Option<UserRecord>, AppError> {
        match self {
            Self::Provider { users, .. } => match users.add(user).await {
                Ok(added) => Ok(Some(added)),
                Err(error) if error.kind() == AdminErrorKind::Duplicate => Ok(None),
                Err(error) => Err(AppError::new(error)),
            },
            Self::Server(client) => {
                let added = client.add_user(&user).await;
                added.map(Some).map_err(AppError::new)
            }
        }
    }

    /// Stores what [`find_whole`](Self::find_whole) gave, changed.
    pub(super) async fn change(
        &self,
        before: &UserRecord,
        mut after: UserRecord,
        password: NewPassword,
    ) -> Result<(), AppError> {
        match self {
            Self::Provider { users, .. } => {
                match password {
                    NewPassword::Kept => {}
                    NewPassword::Removed => after.password.clear(),
                    NewPassword::Set(text) => after.password = text.to_string(),
                }
                users.update(after).await.map_err(AppError::new)
            }
            Self::Server(client) => {
                let changed = client.change_user(before, &after, &password).await;
                changed.map_err(AppError::new)
            }
        }
    }

    /// Removes a user; its files stay.
    pub(super) async fn remove(&self, user: &UserRecord) -> Result<(), AppError> {
        match self {
            Self::Provider { users, .. } => users.delete(user.id).await.map_err(AppError::new),
            Self::Server(client) => client.remove_user(user).await.map_err(AppError::new),
        }
    }
}

fn found(result: Result<UserRecord, AdminError>) -> Result<Option<UserRecord>, AppError> {
    match result {
        Ok(user) => Ok(Some(user)),
        Err(error) if error.kind() == AdminErrorKind::NotFound => Ok(None),
        Err(error) => Err(AppError::new(error)),
    }
}
