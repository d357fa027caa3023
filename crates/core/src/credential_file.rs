//! Files of credentials that the reference wrote: one for each account with Google's storage, beside the accounts (reference
//! 3.6). They are read, so that an installation of it goes on working, and never written: another server on the same database
//! has not the same disk, and a user name is no safe name for a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sftpgo_model::filesystem::credentials_json;
use zeroize::Zeroizing;

/// As the reference reads them.
const MOST_BYTES: u64 = 1024 * 1024;
/// How long their disk is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The credentials of the user of that name; `None` if there is no file.
///
/// # Errors
/// A sentence about a file that cannot be used; nothing of it is in there.
pub(crate) async fn read(
    directory: Option<&Path>,
    username: &str,
) -> Result<Option<Zeroizing<String>>, String> {
    let Some(path) = path(directory, username) else {
        return Ok(None);
    };
    let shown = path.display().to_string();
    let reading = tokio::task::spawn_blocking(move || contents(&path));
    let text = match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(Ok(text))) => text,
        Ok(Ok(Err(error))) => return Err(format!("cannot be read from {shown}: {error}")),
        Ok(Err(_)) | Err(_) => {
            return Err(format!(
                "cannot be read from {shown}: the disk does not answer"
            ));
        }
    };
    let Some(text) = text else {
        return Ok(None);
    };
    let json = credentials_json(&text).ok_or_else(|| format!("in {shown} are not JSON"))?;
    Ok(Some(json))
}

/// `None` of a name that leads elsewhere, or that nobody would find.
fn path(directory: Option<&Path>, username: &str) -> Option<PathBuf> {
    let odd =
        username.is_empty() || username.starts_with('.') || username.contains(['/', '\\', '\0']);
    (!odd).then(|| directory.map(|it| it.join(format!("{username}_gcs_credentials.json"))))?
}

/// `None` if there is no regular file of a user, or nothing in it.
fn contents(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    // A pipe would be waited for, so it is not even opened.
    match std::fs::metadata(path) {
        Ok(attributes) if attributes.is_file() && attributes.len() > 0 => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut text = Zeroizing::new(String::new());
    File::open(path)?
        .take(MOST_BYTES)
        .read_to_string(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn only_the_file_of_the_user_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("credentials");
        fs::create_dir(&inside).unwrap();
        for (file, text) in [
            (inside.join("alice_gcs_credentials.json"), r#"{"a":1}"#),
            (inside.join("bob_gcs_credentials.json"), ""),
            (inside.join("carol_gcs_credentials.json"), "s3cret"),
            (inside.join("._gcs_credentials.json"), "{}"),
            (directory.path().join("x_gcs_credentials.json"), "{}"),
        ] {
            fs::write(file, text).unwrap();
        }
        let inside = Some(inside.as_path());
        let found = read(inside, "alice").await.unwrap().unwrap();
        assert_eq!(found.as_str(), r#"{"a":1}"#);
        for name in ["", "bob", "dave", "../x", ".", "a/../../x", "alice\0"] {
            assert_eq!(read(inside, name).await.unwrap(), None, "{name}");
        }
        assert_eq!(read(None, "alice").await.unwrap(), None);
        let told = read(inside, "carol").await.unwrap_err();
        assert!(
            told.contains("carol_gcs") && !told.contains("s3cret"),
            "{told}"
        );
    }
}
