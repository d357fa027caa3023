//! Homes in object stores: what an account says becomes settings of a back end. The only place that opens its secrets.

mod azblob;
mod gcs;
mod s3;

use std::path::PathBuf;
use std::sync::Arc;

use sftpgo_model::{FilesystemProvider, Secret, User, VirtualPath};
use zeroize::Zeroizing;

use super::Mount;
use crate::engine::Core;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::secret;

/// Parts in MiB and calls at a time where an account says 0 (reference 2x C.6).
const PART_MIB: u64 = 5;
const CALLS: usize = 5;

/// A setting with which no store can be opened: a sentence for the operator, which begins with its name.
#[derive(Debug)]
struct Unusable(String);

impl Unusable {
    fn new(setting: &str, problem: &str) -> Self {
        Self(format!("{setting} {problem}"))
    }
}

/// Opens the bucket of an account; `None` if its home is a directory. Whether it can be used is looked at beside the login, and
/// logged: every access says it again.
pub(super) async fn open(core: &Arc<Core>, user: &Arc<User>) -> OpResult<Option<Arc<Mount>>> {
    let config = &user.filesystem;
    let unusable = |why| unusable(user, &why);
    let (opened, prefix) = match config.provider {
        FilesystemProvider::Local => return Ok(None),
        FilesystemProvider::S3 => {
            let config = &config.s3config;
            let settings = s3::settings(config).map_err(unusable)?;
            (core.backends.s3().open(&settings).await, &config.key_prefix)
        }
        FilesystemProvider::Gcs => {
            let config = &config.gcsconfig;
            let directory = core.settings.credentials_dir.as_deref();
            let settings = gcs::settings(config, directory, &user.username).await;
            let settings = settings.map_err(unusable)?;
            (
                core.backends.gcs().open(&settings).await,
                &config.key_prefix,
            )
        }
        FilesystemProvider::Azure => {
            let config = &config.azblobconfig;
            let settings = azblob::settings(config).map_err(unusable)?;
            let opened = core.backends.azblob().open(&settings).await;
            (opened, &config.key_prefix)
        }
    };
    let storage = opened?;
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
    Ok(Some(Arc::new(Mount {
        at: VirtualPath::root(),
        storage: Some(Arc::new(storage)),
        root: PathBuf::from(format!("/{}", prefix.trim_end_matches('/'))),
        local: false,
    })))
}

/// The operator reads which setting it is, the client that it cannot be helped.
fn unusable(user: &User, why: &Unusable) -> OpError {
    let object = user.filesystem.provider.back_end();
    let object = object.map_or("filesystem", |back_end| back_end.object);
    tracing::error!(
        username = user.username,
        "the storage of the account cannot be opened: {object}: {}",
        why.0
    );
    OpError::new(
        OpErrorKind::Unavailable,
        "the storage of this account cannot be opened",
    )
}

/// As it is stored, or as a program that lets somebody in has just told it.
fn opened(name: &str, secret: &Secret) -> Result<Zeroizing<String>, Unusable> {
    let opened = match secret {
        Secret::Plain(plain) => Some(plain.clone()),
        Secret::Sealed(_) => secret::open(secret),
        Secret::Empty | Secret::Hidden(_) => None,
    };
    opened.ok_or_else(|| Unusable::new(name, "cannot be opened: set it again"))
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn part_size(mib: i64, usual: u64) -> u64 {
    let mib = u64::try_from(mib).ok().filter(|mib| *mib > 0);
    mib.unwrap_or(usual).saturating_mul(1 << 20)
}

fn calls(count: i64) -> usize {
    let count = usize::try_from(count).ok().filter(|count| *count > 0);
    count.unwrap_or(CALLS)
}
