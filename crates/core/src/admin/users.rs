//! Accounts: add, change, remove, look up. The one implementation behind REST and the command line.

use std::path::PathBuf;
use std::sync::Arc;

use sftpgo_data::{DataProvider, UserQuery};
use sftpgo_model::user::UserRules;
use sftpgo_model::{FilesystemProvider, UserEvent, UserRecord};

use super::error::{AdminError, AdminErrorKind};
use crate::action::ActionRunner;
use crate::auth::{PasswordHasher, is_recognised_hash};
use crate::credential_file;
use crate::engine::{Core, CoreSettings};
use crate::secret;

/// Where the server keeps what records do not say.
#[derive(Debug, Clone, Default)]
pub struct AccountDirectories {
    /// Where homes are made that a record does not name.
    pub users_base_dir: Option<PathBuf>,
    /// Where the reference kept credentials of Google's storage.
    pub credentials_dir: Option<PathBuf>,
}

impl AccountDirectories {
    /// Those of a running server.
    pub(crate) fn of(settings: &CoreSettings) -> Self {
        Self {
            users_base_dir: settings.users_base_dir.clone(),
            credentials_dir: settings.credentials_dir.clone(),
        }
    }
}

/// Administration of accounts. Needs no running server, so that the command line can use it on the data provider alone.
#[derive(Debug, Clone)]
pub struct UserAdmin {
    provider: Arc<dyn DataProvider>,
    hasher: Arc<PasswordHasher>,
    manage_users: bool,
    directories: AccountDirectories,
    /// Who is told of changes; commands beside a server tell nobody.
    actions: Option<Arc<ActionRunner>>,
}

impl UserAdmin {
    /// Administration on `provider`. `manage_users` false refuses every change. Nobody is told of changes.
    pub fn new(
        provider: Arc<dyn DataProvider>,
        manage_users: bool,
        directories: AccountDirectories,
    ) -> Self {
        let hasher = Arc::new(PasswordHasher::new());
        Self {
            provider,
            hasher,
            manage_users,
            directories,
            actions: None,
        }
    }

    /// The account of that id, as replies may show it.
    pub async fn by_id(&self, id: i64) -> Result<UserRecord, AdminError> {
        Ok(self.stored(id).await?.to_hidden())
    }

    /// The account of that name, as replies may show it.
    pub async fn by_name(&self, username: &str) -> Result<UserRecord, AdminError> {
        Ok(self.stored_by_name(username).await?.to_hidden())
    }

    /// A page of accounts, as replies may show them.
    pub async fn list(&self, query: &UserQuery) -> Result<Vec<UserRecord>, AdminError> {
        let users = self.provider.users(query).await?;
        Ok(users.iter().map(UserRecord::to_hidden).collect())
    }

    /// Adds an account: validates, hashes the password, seals secrets. Gives it back as replies may show it.
    pub async fn add(&self, record: UserRecord) -> Result<UserRecord, AdminError> {
        self.check_enabled()?;
        let record = self.prepare(record).await?;
        let added = self.provider.add_user(&record).await?;
        self.report(UserEvent::Add, || added.clone());
        Ok(added.to_hidden())
    }

    /// The stored account of that name, if there is one, and what [`add`](Self::add) or [`update`](Self::update) would make of
    /// it; changes nothing. What comes out can be given to those as it is. Not for replies.
    ///
    /// # Errors
    /// As those, but for what the data provider refuses.
    pub async fn preview(
        &self,
        record: UserRecord,
    ) -> Result<(Option<UserRecord>, UserRecord), AdminError> {
        self.check_enabled()?;
        let stored = self.find(&record.username).await?;
        let prepared =
            prepared_over(stored.as_ref(), record, &self.directories, &self.hasher).await?;
        Ok((stored, prepared))
    }

    /// Lays the JSON of an update over the stored account (reference 11.7) and stores the result.
    ///
    /// # Errors
    /// `Validation` also if the JSON is not an account; `IdMismatch` if it names another id.
    pub async fn update_from_json(&self, id: i64, json: &[u8]) -> Result<(), AdminError> {
        self.check_enabled()?;
        let stored = self.stored(id).await?;
        let merged = stored.merged_with_json(json).map_err(|error| {
            AdminError::new(AdminErrorKind::Validation, format!("invalid JSON: {error}"))
        })?;
        if merged.id != id {
            return Err(AdminError::new(
                AdminErrorKind::IdMismatch,
                "the user id in the body is not the one in the path",
            ));
        }
        self.update(merged).await
    }

    /// Stores a changed account; its id says which.
    pub async fn update(&self, record: UserRecord) -> Result<(), AdminError> {
        self.check_enabled()?;
        let record = self.prepare(record).await?;
        self.provider.update_user(&record).await?;
        self.report(UserEvent::Update, || record);
        Ok(())
    }

    /// Removes the account of that id.
    pub async fn delete(&self, id: i64) -> Result<(), AdminError> {
        self.check_enabled()?;
        let stored = self.stored(id).await?;
        self.provider.delete_user(id).await?;
        self.report(UserEvent::Delete, || stored);
        Ok(())
    }

    fn report(&self, event: UserEvent, user: impl FnOnce() -> UserRecord) {
        if let Some(actions) = &self.actions {
            actions.user(event, user);
        }
    }

    /// The account of that name, whole, to be changed and given to [`update`](Self::update). Not for replies.
    pub async fn stored_by_name(&self, username: &str) -> Result<UserRecord, AdminError> {
        let found = self.find(username).await?;
        found.ok_or_else(|| not_found(format!("username {username:?} does not exist")))
    }

    pub(super) async fn find(&self, username: &str) -> Result<Option<UserRecord>, AdminError> {
        Ok(self.provider.user_by_name(username).await?)
    }

    pub(super) fn provider(&self) -> Arc<dyn DataProvider> {
        Arc::clone(&self.provider)
    }

    /// The account of that id, whole, to be changed and given to [`update`](Self::update). Not for replies.
    pub async fn stored_by_id(&self, id: i64) -> Result<UserRecord, AdminError> {
        self.stored(id).await
    }

    async fn stored(&self, id: i64) -> Result<UserRecord, AdminError> {
        let found = self.provider.user_by_id(id).await?;
        found.ok_or_else(|| not_found(format!("user id {id} does not exist")))
    }

    fn check_enabled(&self) -> Result<(), AdminError> {
        if self.manage_users {
            return Ok(());
        }
        Err(AdminError::new(
            AdminErrorKind::MethodDisabled,
            "data_provider.manage_users is 0: accounts are managed elsewhere",
        ))
    }

    async fn prepare(&self, record: UserRecord) -> Result<UserRecord, AdminError> {
        prepared(record, &self.directories, &self.hasher).await
    }
}

/// A record as it is stored, made of what somebody wrote: checked, its secrets sealed, its password hashed.
pub async fn prepared(
    record: UserRecord,
    directories: &AccountDirectories,
    hasher: &PasswordHasher,
) -> Result<UserRecord, AdminError> {
    prepared_over(None, record, directories, hasher).await
}

/// The same for an account that is there: a secret that is the stored one is not sealed anew.
pub(crate) async fn prepared_over(
    stored: Option<&UserRecord>,
    record: UserRecord,
    directories: &AccountDirectories,
    hasher: &PasswordHasher,
) -> Result<UserRecord, AdminError> {
    let rules = UserRules {
        users_base_dir: directories.users_base_dir.clone(),
        has_gcs_credentials: has_credential_file(&record, directories).await,
    };
    let mut record = record.validate(&rules)?;
    let before = stored.map(|stored| &stored.filesystem);
    secret::seal_all(&mut record.filesystem, before)?;
    if !record.password.is_empty() && !is_recognised_hash(&record.password) {
        record.password = hasher.hash(&record.password).await?;
    }
    Ok(record)
}

/// Looks at the disk only where it matters. What is there and cannot be read is there: the log says more when it is used.
async fn has_credential_file(record: &UserRecord, directories: &AccountDirectories) -> bool {
    let gcs = &record.filesystem.gcsconfig;
    record.filesystem.provider == FilesystemProvider::Gcs
        && gcs.automatic_credentials == 0
        && gcs.credentials.is_empty()
        && credential_file::read(directories.credentials_dir.as_deref(), &record.username)
            .await
            .map_or(true, |found| found.is_some())
}

fn not_found(message: String) -> AdminError {
    AdminError::new(AdminErrorKind::NotFound, message)
}

impl Core {
    /// Administration of this server's accounts.
    pub fn user_admin(&self) -> UserAdmin {
        UserAdmin {
            provider: Arc::clone(&self.provider),
            hasher: Arc::clone(&self.hasher),
            manage_users: self.settings.manage_users,
            directories: AccountDirectories::of(&self.settings),
            actions: Some(Arc::clone(self.actions())),
        }
    }

    /// Writes counted quota changes, so that what is read next includes them.
    pub async fn flush_quota(&self) {
        self.quota.flush().await;
    }

    /// The driver of the data provider, such as `sqlite`.
    pub fn provider_driver(&self) -> &'static str {
        self.provider.driver()
    }

    /// Whether the data provider answers.
    pub async fn check_provider(&self) -> Result<(), AdminError> {
        Ok(self.provider.check().await?)
    }
}
