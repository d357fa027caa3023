//! What an account says about its bucket, with its secrets in the open: made where the storage is opened, and never kept with
//! the account.

use std::fmt;

use zeroize::Zeroizing;

use super::super::object::{Fingerprint, ObjectSettings};

/// Who asks the store. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum S3Credentials {
    /// Environment, profile, web identity, container or instance, in the order of the official libraries.
    #[default]
    Chain,
    /// An access key.
    Key {
        /// Its id.
        id: String,
        /// Its secret.
        secret: Zeroizing<String>,
        /// Set if it is one for a limited time.
        session_token: Option<Zeroizing<String>>,
    },
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain => f.write_str("Chain"),
            Self::Key { id, .. } => write!(f, "Key({id})"),
        }
    }
}

/// One bucket, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// Its region; may be empty with an endpoint.
    pub region: String,
    /// The URL of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Whether the bucket is in the path of URLs, and not in the name of the host.
    pub force_path_style: bool,
    /// Who asks.
    pub credentials: S3Credentials,
    /// A role that is taken on with the credentials.
    pub role_arn: Option<String>,
    /// The canned ACL of new objects.
    pub acl: Option<String>,
    /// Certificate authorities of the endpoint, in PEM; in place of those of the system.
    pub certificate_authorities: Option<String>,
    /// The rest.
    pub objects: ObjectSettings,
}

impl S3Settings {
    /// Tells the clients of two settings apart, without keeping what is secret.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let path_style = if self.force_path_style {
            "path"
        } else {
            "host"
        };
        let print = Fingerprint::default()
            .text(&self.bucket)
            .text(&self.region)
            .text(path_style)
            .option(self.endpoint.as_deref())
            .option(self.role_arn.as_deref())
            .option(self.acl.as_deref())
            .option(self.certificate_authorities.as_deref());
        let print = match &self.credentials {
            S3Credentials::Chain => print.text("chain"),
            S3Credentials::Key {
                id,
                secret,
                session_token,
            } => print
                .text("key")
                .text(id)
                .text(secret)
                .option(session_token.as_ref().map(|token| token.as_str())),
        };
        print.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> S3Credentials {
        S3Credentials::Key {
            id: "id".to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            session_token: Some(Zeroizing::new("t0ken".to_owned())),
        }
    }

    #[test]
    fn settings_show_no_secret() {
        let settings = S3Settings {
            credentials: key("s3cret"),
            ..S3Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("id") && !shown.contains("s3cret") && !shown.contains("t0ken"));
    }

    #[test]
    fn clients_are_shared_by_the_same_settings_only() {
        let one = S3Settings {
            bucket: "b".to_owned(),
            credentials: key("one"),
            ..S3Settings::default()
        };
        let changed = [
            S3Settings {
                credentials: key("two"),
                ..one.clone()
            },
            S3Settings {
                endpoint: Some(String::new()),
                ..one.clone()
            },
            S3Settings {
                acl: Some("private".to_owned()),
                ..one.clone()
            },
        ];
        for other in changed {
            assert_ne!(one.fingerprint(), other.fingerprint());
        }
        // The prefix is not the client's.
        let mut other = one.clone();
        other.objects.prefix = "home/".to_owned();
        assert_eq!(one.fingerprint(), other.fingerprint());
    }
}
