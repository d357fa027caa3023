//! A client of the official library, set up for what other stores than Amazon's know too.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Builder, Credentials, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};

use super::settings::{S3Credentials, S3Settings};

/// A region for stores that have none; it goes into signatures.
const NO_REGION: &str = "us-east-1";
const CONNECT: Duration = Duration::from_secs(10);
/// The name of the session with which a role is taken on, seen in the logs of the store.
const SESSION: &str = "sftpgo";

/// Makes a client. Looks at the environment for [`S3Credentials::Chain`], as the official libraries do.
pub(super) async fn client(settings: &S3Settings, http: SharedHttpClient) -> Client {
    let region = if settings.region.is_empty() {
        NO_REGION.to_owned()
    } else {
        settings.region.clone()
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region))
        .http_client(http)
        // Calls are repeated and ended in one place, for all stores.
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    loader = with_credentials(loader, &settings.credentials);
    let mut shared = loader.load().await;
    if let Some(role) = &settings.role_arn {
        let provider = AssumeRoleProvider::builder(role)
            .session_name(SESSION)
            .configure(&shared)
            .build()
            .await;
        let provider = SharedCredentialsProvider::new(provider);
        shared = shared.into_builder().credentials_provider(provider).build();
    }
    let mut builder = Builder::from(&shared)
        // What the library computes of its own accord breaks stores that do not know it.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .force_path_style(settings.force_path_style);
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    Client::from_conf(builder.build())
}

fn with_credentials(loader: ConfigLoader, credentials: &S3Credentials) -> ConfigLoader {
    match credentials {
        S3Credentials::Chain => loader,
        S3Credentials::Key {
            id,
            secret,
            session_token,
        } => {
            let token = session_token.as_ref().map(|token| token.to_string());
            let key = Credentials::new(id, secret.to_string(), token, None, "account");
            loader.credentials_provider(key)
        }
    }
}
