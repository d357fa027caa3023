//! What an account says about its bucket, with its secrets in the open: made where the storage is opened, and never kept with
//! the account.

use std::fmt;

use zeroize::Zeroizing;

use super::super::object::{Fingerprint, ObjectSettings};

/// Who asks the store. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum GcsCredentials {
    /// Google's application default credentials: a file that the environment names, that of gcloud, or the machine's.
    #[default]
    Default,
    /// The contents of a file of credentials, in JSON: of a service account, a user, or an external account.
    Json(Zeroizing<String>),
    /// Nobody: for emulators and public buckets.
    Anonymous,
}

impl fmt::Debug for GcsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "Default",
            Self::Json(_) => "Json",
            Self::Anonymous => "Anonymous",
        })
    }
}

/// One bucket, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcsSettings {
    /// The bucket.
    pub bucket: String,
    /// The URL of a store that speaks like Google's, without a path.
    pub endpoint: Option<String>,
    /// Who asks.
    pub credentials: GcsCredentials,
    /// The predefined ACL of new objects.
    pub acl: Option<String>,
    /// Certificate authorities of the endpoint, in PEM; in place of those of the system.
    pub certificate_authorities: Option<String>,
    /// The rest.
    pub objects: ObjectSettings,
}

impl GcsSettings {
    /// Tells the clients of two settings apart, without keeping what is secret.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let print = Fingerprint::default()
            .text(&self.bucket)
            .option(self.endpoint.as_deref())
            .option(self.acl.as_deref())
            .option(self.certificate_authorities.as_deref());
        let print = match &self.credentials {
            GcsCredentials::Default => print.text("default"),
            GcsCredentials::Anonymous => print.text("anonymous"),
            GcsCredentials::Json(json) => print.text("json").text(json),
        };
        print.finish()
    }
}
