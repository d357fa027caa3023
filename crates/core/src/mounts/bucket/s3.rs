//! `s3config` becomes settings of the back end.

use sftpgo_model::filesystem::S3Config;
use sftpgo_storage::backend::object::ObjectSettings;
use sftpgo_storage::backend::s3::{S3Credentials, S3Settings};

use super::{PART_MIB, Unusable, calls, opened, part_size, text};

/// Without an access key, the official library looks for credentials.
pub(super) fn settings(config: &S3Config) -> Result<S3Settings, Unusable> {
    let credentials = if config.access_key.is_empty() {
        S3Credentials::Chain
    } else {
        let token = &config.session_token;
        S3Credentials::Key {
            id: config.access_key.clone(),
            secret: opened("access_secret", &config.access_secret)?,
            session_token: if token.is_empty() {
                None
            } else {
                Some(opened("session_token", token)?)
            },
        }
    };
    let endpoint = text(&config.endpoint);
    Ok(S3Settings {
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
            part_size: part_size(config.upload_part_size, PART_MIB),
            upload_concurrency: calls(config.upload_concurrency),
            read_size: part_size(config.download_part_size, PART_MIB),
            read_concurrency: calls(config.download_concurrency),
            ..ObjectSettings::default()
        },
    })
}

#[cfg(test)]
mod tests {
    use sftpgo_model::Secret;

    use super::*;
    use crate::secret;

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
        let made = settings(&config()).unwrap();
        let S3Credentials::Key { secret, .. } = &made.credentials else {
            unreachable!()
        };
        assert_eq!(secret.as_str(), "s3cret");
        assert!(!format!("{made:?}").contains("s3cret"));
        let damaged = S3Config {
            access_secret: Secret::from_text("$aes$00$00"),
            ..config()
        };
        let Unusable(why) = settings(&damaged).unwrap_err();
        assert!(why.starts_with("access_secret "), "{why}");
    }

    #[test]
    fn without_an_access_key_the_environment_is_asked() {
        let config = S3Config {
            access_key: String::new(),
            access_secret: Secret::Empty,
            ..config()
        };
        let made = settings(&config).unwrap();
        assert_eq!(made.credentials, S3Credentials::Chain);
    }

    #[test]
    fn an_endpoint_has_the_bucket_in_its_path() {
        assert!(!settings(&config()).unwrap().force_path_style);
        let config = S3Config {
            endpoint: "http://localhost".to_owned(),
            upload_part_size: 8,
            ..config()
        };
        let made = settings(&config).unwrap();
        assert!(made.force_path_style);
        assert_eq!(made.objects.part_size, 8 << 20);
        assert_eq!(made.objects.read_size, 5 << 20);
    }
}
