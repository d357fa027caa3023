//! `gcsconfig` becomes settings of the back end.

use std::path::Path;

use sftpgo_model::filesystem::{GcsConfig, credentials_json};
use sftpgo_storage::backend::gcs::{GcsCredentials, GcsSettings};
use sftpgo_storage::backend::object::ObjectSettings;

use super::{Unusable, opened, part_size, text};
use crate::credential_file;

/// What the reference's 2.x line takes for 0.
const PART_MIB: u64 = 16;

/// Credentials of the account go before a file that the reference wrote to `directory` for the user of that name.
pub(super) async fn settings(
    config: &GcsConfig,
    directory: Option<&Path>,
    username: &str,
) -> Result<GcsSettings, Unusable> {
    Ok(GcsSettings {
        bucket: config.bucket.clone(),
        endpoint: text(&config.endpoint),
        credentials: credentials(config, directory, username).await?,
        acl: text(&config.acl),
        certificate_authorities: text(&config.ca_certificates),
        objects: ObjectSettings {
            prefix: config.key_prefix.clone(),
            storage_class: text(&config.storage_class),
            part_size: part_size(config.upload_part_size, PART_MIB),
            ..ObjectSettings::default()
        },
    })
}

async fn credentials(
    config: &GcsConfig,
    directory: Option<&Path>,
    username: &str,
) -> Result<GcsCredentials, Unusable> {
    if config.automatic_credentials > 0 {
        return Ok(GcsCredentials::Default);
    }
    if !config.credentials.is_empty() {
        let text = opened("credentials", &config.credentials)?;
        // What was stored for another back end's time was not looked at.
        let json = credentials_json(&text);
        let json = json.ok_or_else(|| Unusable::new("credentials", "are not JSON: set them again"));
        return json.map(GcsCredentials::Json);
    }
    let found = credential_file::read(directory, username).await;
    match found.map_err(|problem| Unusable::new("credentials", &problem))? {
        Some(json) => Ok(GcsCredentials::Json(json)),
        None if !config.endpoint.is_empty() => Ok(GcsCredentials::Anonymous),
        None => Err(Unusable::new(
            "credentials",
            "are missing: set them, or automatic_credentials to 1",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sftpgo_model::Secret;

    use super::*;
    use crate::secret;

    const JSON: &str = r#"{"type":"service_account","private_key":"s3cret"}"#;

    fn config() -> GcsConfig {
        GcsConfig {
            bucket: "b".to_owned(),
            ..GcsConfig::default()
        }
    }

    fn with(credentials: &str) -> GcsConfig {
        GcsConfig {
            credentials: secret::seal(&Secret::from_text(credentials)).unwrap(),
            ..config()
        }
    }

    fn json(settings: &GcsSettings) -> &str {
        match &settings.credentials {
            GcsCredentials::Json(json) => json,
            GcsCredentials::Default | GcsCredentials::Anonymous => panic!("{settings:?}"),
        }
    }

    #[tokio::test]
    async fn credentials_of_google_are_opened_for_the_back_end_only() {
        let made = settings(&with(JSON), None, "u").await.unwrap();
        assert_eq!(json(&made), JSON);
        assert!(!format!("{made:?}").contains("s3cret"));
        let encoded = settings(&with("e30="), None, "u").await.unwrap();
        assert_eq!(json(&encoded), "{}");
        for wrong in [
            with("no json"),
            GcsConfig {
                credentials: Secret::from_text("$aes$00$00"),
                ..config()
            },
        ] {
            let Unusable(why) = settings(&wrong, None, "u").await.unwrap_err();
            assert!(
                why.starts_with("credentials ") && !why.contains("no json"),
                "{why}"
            );
        }
    }

    #[tokio::test]
    async fn a_file_that_the_reference_wrote_is_used_where_nothing_is_stored() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("u_gcs_credentials.json"), JSON).unwrap();
        let there = Some(directory.path());
        assert_eq!(json(&settings(&config(), there, "u").await.unwrap()), JSON);
        let stored = settings(&with("{}"), there, "u").await.unwrap();
        assert_eq!(json(&stored), "{}");
        let missing = settings(&config(), there, "v").await.unwrap_err();
        assert!(missing.0.contains("automatic_credentials"), "{missing:?}");
    }

    #[tokio::test]
    async fn nobody_asks_only_where_there_is_an_endpoint_and_nothing_else() {
        let automatic = GcsConfig {
            automatic_credentials: 1,
            ..with(JSON)
        };
        let made = settings(&automatic, None, "u").await.unwrap();
        assert_eq!(made.credentials, GcsCredentials::Default);
        let endpoint = GcsConfig {
            endpoint: "http://localhost:1".to_owned(),
            ..config()
        };
        let made = settings(&endpoint, None, "u").await.unwrap();
        assert_eq!(made.credentials, GcsCredentials::Anonymous);
        assert_eq!(made.objects.part_size, 16 << 20);
        let both = GcsConfig {
            endpoint: endpoint.endpoint,
            ..with(JSON)
        };
        assert_eq!(json(&settings(&both, None, "u").await.unwrap()), JSON);
    }
}
