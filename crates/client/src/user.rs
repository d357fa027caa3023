//! Accounts (`/api/v1/user`). Records come as replies show them: without a password, with secrets hidden.

use http::Method;
use serde_json::Value;
use sftpgo_model::UserRecord;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::change;
use crate::client::Client;
use crate::error::{ClientError, ClientErrorKind};

/// Accounts that are asked for at a time.
const PAGE: usize = 500;

/// What becomes of a password.
#[derive(Clone)]
pub enum NewPassword {
    /// It stays as it is.
    Kept,
    /// There is none any more.
    Removed,
    /// It becomes this one.
    Set(Zeroizing<String>),
}

/// Deliberately shows no password.
impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kept => "Kept",
            Self::Removed => "Removed",
            Self::Set(_) => "Set(..)",
        })
    }
}

impl Client {
    /// The account of that very name.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn user(&self, username: &str) -> Result<Option<UserRecord>, ClientError> {
        let call = Call::api(Method::GET, &["user"]).query(&[("username", username)]);
        let found = self.records(call).await?.into_iter();
        // Whoever ignores the parameter must not have another account changed.
        Ok(found.into_iter().find(|user| user.username == username))
    }

    /// The accounts whose names come after `last`, in the order of names; some hundreds at most, none at the end.
    ///
    /// # Errors
    /// No answer, or a refusal.
    pub async fn users_after(&self, last: Option<&str>) -> Result<Vec<UserRecord>, ClientError> {
        let limit = PAGE.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(last.map(|name| ("after", name)));
        let page = self
            .records(Call::api(Method::GET, &["user"]).query(&query))
            .await?;
        // A server that does not know the parameter would give the same page for ever.
        let again = page
            .iter()
            .any(|user| last.is_some_and(|last| user.username == last));
        if again {
            return Err(self.not_understood(&"it lists users again from the beginning"));
        }
        Ok(page)
    }

    /// Adds an account; gives it back as replies show it.
    ///
    /// # Errors
    /// `Refused` if it is not valid, `Failed` if the name is taken.
    pub async fn add_user(&self, user: &UserRecord) -> Result<UserRecord, ClientError> {
        let body = change::of_new(user).map_err(|error| unusable(&error))?;
        let added: Value = self
            .value(Call::api(Method::POST, &["user"]).body(body))
            .await?;
        self.record(&added)
    }

    /// Makes of the account `before`, as it was shown, the account `after`. Only what differs is sent, so that what others
    /// change meanwhile, and secrets that were shown hidden, stay.
    ///
    /// # Errors
    /// `NotFound` if it was removed meanwhile; `Refused` if it is not valid, or if extension filters are to be removed
    /// that the API cannot remove (reference 11.7).
    pub async fn change_user(
        &self,
        before: &UserRecord,
        after: &UserRecord,
        password: &NewPassword,
    ) -> Result<(), ClientError> {
        let filters = |user: &UserRecord| user.filters.file_extensions.is_empty();
        if filters(after) && !filters(before) {
            let message = "extension filters cannot be removed over the REST API (an empty list means that they stay): \
                           allow or deny other extensions, or remove them in the web admin";
            return Err(ClientError::new(ClientErrorKind::Refused, message));
        }
        let body = change::between(before, after, password).map_err(|error| unusable(&error))?;
        let id = before.id.to_string();
        let call = Call::api(Method::PUT, &["user", &id]).body(body);
        self.done(call.about(absent(&before.username))).await
    }

    /// Removes an account; its files stay.
    ///
    /// # Errors
    /// `NotFound` if it was removed before.
    pub async fn remove_user(&self, user: &UserRecord) -> Result<(), ClientError> {
        let id = user.id.to_string();
        let call = Call::api(Method::DELETE, &["user", &id]);
        self.done(call.about(absent(&user.username))).await
    }

    async fn records(&self, call: Call<'_>) -> Result<Vec<UserRecord>, ClientError> {
        let found: Vec<Value> = self.value(call).await?;
        found.iter().map(|user| self.record(user)).collect()
    }

    fn record(&self, user: &Value) -> Result<UserRecord, ClientError> {
        let text = user.to_string();
        UserRecord::from_json(text.as_bytes()).map_err(|error| self.not_understood(&error))
    }
}

/// The sentence of the server for an account that is not there.
fn absent(username: &str) -> String {
    format!("Not found: username {username:?} does not exist")
}

fn unusable(error: &serde_json::Error) -> ClientError {
    let message = format!("the account cannot be written as JSON: {error}");
    ClientError::new(ClientErrorKind::Unusable, message)
}
