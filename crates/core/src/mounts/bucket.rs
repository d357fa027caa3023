//! Homes in object stores: what an account says becomes settings of a back end. The only place that opens its secrets.

use std::path::PathBuf;
use std::sync::Arc;

use sftpgo_model::filesystem::S3Config;
use sftpgo_model::{Secret, User, VirtualPath};
use sftpgo_storage::backend::object::ObjectSettings;
use sftpgo_storage::backend::s3::{S3Credentials, S3Settings};
use zeroize::Zeroizing;

use super::Mount;
use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::secret;

/// What the reference takes for 0 (reference 2x C.6).
const PART_MIB: u64 = 5;
const CALLS: usize = 5;

/// Opens the bucket of an account. Whether it can be used is looked at beside the login, and logged: every access says it
/// again.
pub(super) async fn open_s3(core: &Arc<Core>, user: &Arc<User>) -> OpResult<Arc<Mount>> {
    let config = &user.filesystem.s3config;
    let settings = settings_of(config).ok_or_else(|| unreadable(user))?;
    let storage = core.backends.s3().open(&settings).await?;
    let (check, username) = (storage.clone(), user.username.clone());
    core.tasks().spawn(async move {
        if let Err(error) = check.check().await {
            tracing::warn!(username, %error, "the bucket of the account cannot be used");
            return;
        }
        match check.tidy().await {
            Ok(0) => {}
            Ok(uploads) => tracing::info!(
                username,
                uploads,
                "unfinished uploads that stood still were given up in the bucket of the account"
            ),
            Err(error) => tracing::warn!(
                username,
                %error,
                "unfinished uploads cannot be looked for in the bucket of the account: allow it (docs/object-stores.md), or set \
                 object_stores.abandoned_after to 0"
            ),
        }
    });
    let prefix = settings.objects.prefix.trim_end_matches('/');
    Ok(Arc::new(Mount {
        at: VirtualPath::root(),
        storage: Some(Arc::new(storage)),
        root: PathBuf::from(format!("/{prefix}")),
        local: false,
    }))
}

/// `None` if a secret cannot be opened.
fn settings_of(config: &S3Config) -> Option<S3Settings> {
    let credentials = if config.access_key.is_empty() {
        S3Credentials::Chain
    } else {
        let token = &config.session_token;
        S3Credentials::Key {
            id: config.access_key.clone(),
            secret: opened(&config.access_secret)?,
            session_token: if token.is_empty() {
                None
            } else {
                Some(opened(token)?)
            },
        }
    };
    let endpoint = text(&config.endpoint);
    Some(S3Settings {
        bucket: config.bucket.clone(),
        region: config.region.clone(),
        // Reference 16.4.
        force_path_style: config.force_path_style || endpoint.is_some(),
        endpoint,
        credentials,
        role_arn: text(&config.role_arn),
        acl: text(&config.acl),
        certificate_authorities: text(&config.ca_certificates),
        objects: ObjectSettings {
            prefix: config.key_prefix.clone(),
            storage_class: text(&config.storage_class),
            part_size: part_size(config.upload_part_size),
            upload_concurrency: calls(config.upload_concurrency),
            read_size: part_size(config.download_part_size),
            read_concurrency: calls(config.download_concurrency),
            ..ObjectSettings::default()
        },
    })
}

/// As it is stored, or as a program that lets somebody in has just told it.
fn opened(secret: &Secret) -> Option<Zeroizing<String>> {
    match secret {
        Secret::Plain(plain) => Some(plain.clone()),
        Secret::Sealed(_) => secret::open(secret),
        Secret::Empty | Secret::Hidden(_) => None,
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn part_size(mib: i64) -> u64 {
    let mib = u64::try_from(mib).ok().filter(|mib| *mib > 0);
    mib.unwrap_or(PART_MIB).saturating_mul(1 << 20)
}

fn calls(count: i64) -> usize {
    let count = usize::try_from(count).ok().filter(|count| *count > 0);
    count.unwrap_or(CALLS)
}

fn unreadable(user: &User) -> OpError {
    tracing::error!(
        username = user.username,
        "the secrets of filesystem.s3config cannot be opened: set access_secret (and session_token) again"
    );
    OpError::new(
        OpErrorKind::Unavailable,
        "the storage of this account cannot be opened",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> S3Config {
        S3Config {
            bucket: "b".to_owned(),
            region: "r".to_owned(),
            access_key: "k".to_owned(),
            access_secret: secret::seal(&Secret::from_text("s3cret")).unwrap(),
            ..S3Config::default()
        }
    }

    #[test]
    fn secrets_are_opened_for_the_back_end_only() {
        let settings = settings_of(&config()).unwrap();
        let S3Credentials::Key { secret, .. } = &settings.credentials else {
            unreachable!()
        };
        assert_eq!(secret.as_str(), "s3cret");
        assert!(!format!("{settings:?}").contains("s3cret"));
        let damaged = S3Config {
            access_secret: Secret::from_text("$aes$00$00"),
            ..config()
        };
        assert!(settings_of(&damaged).is_none());
    }

    #[test]
    fn without_an_access_key_the_environment_is_asked() {
        let config = S3Config {
            access_key: String::new(),
            access_secret: Secret::Empty,
            ..config()
        };
        let settings = settings_of(&config).unwrap();
        assert_eq!(settings.credentials, S3Credentials::Chain);
    }

    #[test]
    fn an_endpoint_has_the_bucket_in_its_path() {
        assert!(!settings_of(&config()).unwrap().force_path_style);
        let config = S3Config {
            endpoint: "http://localhost".to_owned(),
            upload_part_size: 8,
            ..config()
        };
        let settings = settings_of(&config).unwrap();
        assert!(settings.force_path_style);
        assert_eq!(settings.objects.part_size, 8 << 20);
        assert_eq!(settings.objects.read_size, 5 << 20);
    }
}
