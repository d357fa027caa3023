//! `azblobconfig` becomes settings of the back end.

use sftpgo_model::filesystem::{AzureConfig, Sas, SasPlace};
use sftpgo_storage::backend::azblob::{AzureCredentials, AzureSettings};
use sftpgo_storage::backend::object::ObjectSettings;

use super::{PART_MIB, Unusable, calls, opened, part_size, text};

const DOMAIN: &str = "blob.core.windows.net";
const EMULATOR: &str = "http://127.0.0.1:10000";

/// A signature goes before a key; with neither, the official libraries' places are looked at for credentials.
pub(super) fn settings(config: &AzureConfig) -> Result<AzureSettings, Unusable> {
    let mut in_signature = None;
    let credentials = if !config.sas_url.is_empty() {
        let text = opened("sas_url", &config.sas_url)?;
        let Sas { place, query } = Sas::parse(&text)
            .ok_or_else(|| Unusable::new("sas_url", "is no shared access signature"))?;
        in_signature = place;
        AzureCredentials::Sas(query)
    } else if !config.account_key.is_empty() {
        AzureCredentials::Key(opened("account_key", &config.account_key)?)
    } else {
        AzureCredentials::Chain
    };
    let named = in_signature
        .as_ref()
        .and_then(|place| place.container.clone());
    let place = match in_signature {
        Some(place) => place,
        None => of_settings(config)?,
    };
    Ok(AzureSettings {
        container: container(&config.container, named)?,
        account: place.account,
        endpoint: place.endpoint,
        credentials,
        certificate_authorities: text(&config.ca_certificates),
        objects: ObjectSettings {
            prefix: config.key_prefix.clone(),
            storage_class: text(&config.access_tier),
            part_size: part_size(config.upload_part_size, PART_MIB),
            upload_concurrency: calls(config.upload_concurrency),
            read_size: part_size(config.download_part_size, PART_MIB),
            read_concurrency: calls(config.download_concurrency),
            ..ObjectSettings::default()
        },
    })
}

fn container(set: &str, in_signature: Option<String>) -> Result<String, Unusable> {
    match in_signature {
        Some(named) if set.is_empty() || set == named => Ok(named),
        Some(_) => Err(Unusable::new(
            "container",
            "is not the one that sas_url names",
        )),
        None if set.is_empty() => Err(Unusable::new("container", "is missing")),
        None => Ok(set.to_owned()),
    }
}

/// The service that the settings mean, without a signature that names it.
fn of_settings(config: &AzureConfig) -> Result<SasPlace, Unusable> {
    let endpoint = endpoint(config);
    let account = if config.account_name.is_empty() {
        let place = SasPlace::of_service(&endpoint);
        let place = place.ok_or_else(|| Unusable::new("account_name", "is missing"))?;
        place.account
    } else {
        config.account_name.clone()
    };
    Ok(SasPlace {
        endpoint,
        account,
        container: None,
    })
}

/// With the account in the name of the host, or for an emulator in the path.
fn endpoint(config: &AzureConfig) -> String {
    let (given, account) = (config.endpoint.trim_end_matches('/'), &config.account_name);
    let (scheme, host) = match given.split_once("://") {
        Some((scheme, host)) => (Some(scheme), host),
        None => (None, given),
    };
    if config.use_emulator {
        if host.is_empty() {
            return format!("{EMULATOR}/{account}");
        }
        let scheme = scheme.unwrap_or("http");
        return if host.contains('/') || account.is_empty() {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}/{account}")
        };
    }
    match scheme {
        Some(_) => given.to_owned(),
        None if host.is_empty() => format!("https://{account}.{DOMAIN}"),
        None if host.starts_with(&format!("{account}.")) => format!("https://{host}"),
        None => format!("https://{account}.{host}"),
    }
}

#[cfg(test)]
mod tests {
    use sftpgo_model::Secret;

    use super::*;
    use crate::secret;

    const SIGNATURE: &str = "https://other.blob.core.windows.net/box?sv=1&sig=s3cret";

    fn config() -> AzureConfig {
        AzureConfig {
            container: "box".to_owned(),
            account_name: "acc".to_owned(),
            ..AzureConfig::default()
        }
    }

    fn sealed(text: &str) -> Secret {
        secret::seal(&Secret::from_text(text)).unwrap()
    }

    fn problem(config: &AzureConfig) -> String {
        settings(config).unwrap_err().0
    }

    #[test]
    fn the_service_of_an_account_follows_from_its_name_its_domain_or_its_url() {
        let (domain, url) = ("blob.core.chinacloudapi.cn", "https://files.example.com/");
        for (emulator, given, endpoint) in [
            (false, "", "https://acc.blob.core.windows.net"),
            (false, domain, "https://acc.blob.core.chinacloudapi.cn"),
            (
                false,
                "acc.z1.blob.storage.azure.net",
                "https://acc.z1.blob.storage.azure.net",
            ),
            (false, url, "https://files.example.com"),
            (true, "", "http://127.0.0.1:10000/acc"),
            (true, "http://127.0.0.1:7/", "http://127.0.0.1:7/acc"),
            (true, "azurite:10000", "http://azurite:10000/acc"),
            (true, "https://azurite:1/acc", "https://azurite:1/acc"),
        ] {
            let config = AzureConfig {
                endpoint: given.to_owned(),
                use_emulator: emulator,
                ..config()
            };
            let made = settings(&config).unwrap();
            assert_eq!(
                (made.endpoint.as_str(), made.account.as_str()),
                (endpoint, "acc")
            );
            assert_eq!(made.credentials, AzureCredentials::Chain);
        }
    }

    #[test]
    fn without_an_account_name_the_url_of_the_service_has_it() {
        let config = AzureConfig {
            account_name: String::new(),
            endpoint: "https://acc.blob.core.windows.net".to_owned(),
            ..config()
        };
        assert_eq!(settings(&config).unwrap().account, "acc");
    }

    #[test]
    fn a_whole_signature_says_where_the_container_is_and_must_agree() {
        let with = |container: &str, signature: &str| AzureConfig {
            container: container.to_owned(),
            sas_url: sealed(signature),
            account_key: sealed("a2V5"),
            ..config()
        };
        for container in ["", "box"] {
            let made = settings(&with(container, SIGNATURE)).unwrap();
            assert_eq!(made.container, "box");
            assert_eq!(made.endpoint, "https://other.blob.core.windows.net");
            assert_eq!(made.account, "other");
            let AzureCredentials::Sas(query) = &made.credentials else {
                panic!("{made:?}");
            };
            assert_eq!(query.as_str(), "sv=1&sig=s3cret");
            assert!(!format!("{made:?}").contains("s3cret"));
        }
        assert!(problem(&with("cup", SIGNATURE)).starts_with("container "));
        let alone = settings(&with("box", "?sv=1&sig=s3cret")).unwrap();
        assert_eq!(alone.endpoint, "https://acc.blob.core.windows.net");
        assert!(problem(&with("", "?sv=1&sig=s3cret")).starts_with("container "));
        let none = problem(&with("box", "s3cret"));
        assert!(
            none.starts_with("sas_url ") && !none.contains("s3cret"),
            "{none}"
        );
    }

    #[test]
    fn a_key_is_opened_for_the_back_end_only() {
        let with = |account_key| AzureConfig {
            account_key,
            access_tier: "Cool".to_owned(),
            ..config()
        };
        let made = settings(&with(sealed("s3cret"))).unwrap();
        let AzureCredentials::Key(key) = &made.credentials else {
            panic!("{made:?}");
        };
        assert_eq!(key.as_str(), "s3cret");
        assert!(!format!("{made:?}").contains("s3cret"));
        assert_eq!(made.objects.storage_class.as_deref(), Some("Cool"));
        let damaged = with(Secret::from_text("$aes$00$00"));
        assert!(problem(&damaged).starts_with("account_key "));
    }
}
