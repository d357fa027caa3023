//! External authentication: a hook says who somebody is, and what the account is like (reference 9.3).

use std::ffi::OsString;

use serde::Serialize;
use sftpgo_data::DataErrorKind;
use sftpgo_model::{HookTarget, PublicKey, UserRecord};
use zeroize::Zeroizing;

use super::account::{Credential, lookup_failed, not_an_account};
use super::authenticator::Authenticator;
use super::error::AuthError;
use super::password::MAX_PASSWORD;
use crate::hook::{HookError, Question};
use crate::registry::ConnectionInfo;

/// What a URL is sent; `docs/logins.md` describes it.
#[derive(Serialize)]
struct Asked<'a> {
    username: &'a str,
    ip: &'a str,
    password: &'a str,
    public_key: &'a str,
    keyboard_interactive: &'a str,
}

impl Authenticator {
    /// Asks the hook, stores the account that it gives, and reads that again. The same credential still has to be verified
    /// against it.
    pub(super) async fn external_account(
        &self,
        target: &HookTarget,
        info: &ConnectionInfo,
        username: &str,
        credential: Credential<'_>,
    ) -> Result<UserRecord, AuthError> {
        let question = question(info, username, credential)?;
        let core = self.core();
        let answer = core.hooks.ask(target, question, &info.cancel).await?;
        let given = read(&answer, username).inspect_err(|error| error.warn(target))?;
        let stored = self.lookup(username).await?;
        let saved = self.save_external(username, credential, given, stored);
        saved.await.inspect_err(|error| {
            tracing::warn!(
                sender = "core",
                username,
                %error,
                "the account that the hook gave for external authentication is not stored"
            );
        })?;
        let record = self.lookup(username).await?;
        record.ok_or_else(|| lookup_failed("the account was removed"))
    }

    async fn save_external(
        &self,
        username: &str,
        credential: Credential<'_>,
        given: UserRecord,
        stored: Option<UserRecord>,
    ) -> Result<(), AuthError> {
        let mut record = given;
        let known = stored.as_ref().map(|stored| stored.password.as_str());
        record.password = match credential {
            // Hashed whatever it looks like: clients send passwords, not hashes.
            Credential::Password(password) => self.hash(username, password, known).await?,
            Credential::Key(_) | Credential::Interactive => {
                self.hash_given(username, &record.password, known).await?
            }
        };
        // What a certificate is about is not thereby a key of the account.
        if let Credential::Key(offered) = credential
            && offered.certificate().is_none()
        {
            let key = offered.key();
            let lists = |line: &String| {
                let keys = PublicKey::parse_all(line).unwrap_or_default();
                keys.iter().any(|listed| listed.same_key(key))
            };
            if !record.public_keys.iter().any(lists) {
                record.public_keys.push(key.to_line());
            }
        }
        let Some(stored) = stored else {
            return self.add(record).await;
        };
        self.replace(&stored, record).await
    }

    /// Two logins at once of somebody new may both come here.
    async fn add(&self, record: UserRecord) -> Result<(), AuthError> {
        let prepared = self.prepare(None, record).await?;
        let provider = &self.core().provider;
        let added = provider.add_user(&prepared).await;
        match added {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == DataErrorKind::Duplicate => {
                let stored = self.lookup(&prepared.username).await?;
                let stored = stored.ok_or_else(|| lookup_failed("the account was removed"))?;
                self.replace(&stored, prepared).await
            }
            Err(error) => Err(AuthError::unavailable(format!("account: {error}"))),
        }
    }
}

fn question(
    info: &ConnectionInfo,
    username: &str,
    credential: Credential<'_>,
) -> Result<Question, AuthError> {
    let (mut password, mut key, mut interactive) = ("", Zeroizing::new(String::new()), "");
    match credential {
        // No program could be given it, or no hash made of it.
        Credential::Password(given) if given.contains('\0') || given.len() > MAX_PASSWORD => {
            return Err(AuthError::wrong("a password that no hook is told"));
        }
        Credential::Password(given) => password = given,
        Credential::Key(given) => *key = format!("{}\n", given.to_line()),
        Credential::Interactive => interactive = "1",
    }
    let ip = info.peer.ip().to_canonical().to_string();
    let asked = Asked {
        username,
        ip: &ip,
        password,
        public_key: &key,
        keyboard_interactive: interactive,
    };
    let body = serde_json::to_vec(&asked).map(Zeroizing::new);
    let variables: Vec<(_, OsString)> = vec![
        ("SFTPGO_AUTHD_USERNAME", username.into()),
        ("SFTPGO_AUTHD_PASSWORD", password.into()),
        ("SFTPGO_AUTHD_PUBLIC_KEY", key.as_str().into()),
        ("SFTPGO_AUTHD_KEYBOARD_INTERACTIVE", interactive.into()),
        ("SFTPGO_AUTHD_IP", ip.into()),
    ];
    Ok(Question {
        variables,
        body: body.map_err(|error| AuthError::unavailable(error.to_string()))?,
        query: Vec::new(),
    })
}

/// The account that a hook gives. Empty output, or an account without a name, is its way to say no.
fn read(answer: &[u8], username: &str) -> Result<UserRecord, HookError> {
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Err(HookError::refused("it says nothing"));
    }
    let record = UserRecord::from_json(answer).map_err(|error| not_an_account(&error))?;
    if record.username.is_empty() {
        return Err(HookError::refused("it gives a user without a name"));
    }
    if record.username != username {
        let reason = "it gives a user of another name than the one that logs in";
        return Err(HookError::broken(reason));
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hook::HookErrorKind;

    fn kind(answer: &str) -> Option<HookErrorKind> {
        read(answer.as_bytes(), "alice")
            .err()
            .map(|error| error.kind())
    }

    #[test]
    fn only_a_user_of_the_same_name_is_a_yes() {
        assert_eq!(kind(r#"{"username":"alice","status":1}"#), None);
        assert_eq!(kind(" \n"), Some(HookErrorKind::Refused));
        assert_eq!(kind(r#"{"username":""}"#), Some(HookErrorKind::Refused));
        assert_eq!(kind("{}"), Some(HookErrorKind::Refused));
        assert_eq!(kind(r#"{"username":"bob"}"#), Some(HookErrorKind::Broken));
        assert_eq!(kind("no"), Some(HookErrorKind::Broken));
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        let error = read(br#"{"username":"alice","status":"hunter2"}"#, "alice").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
