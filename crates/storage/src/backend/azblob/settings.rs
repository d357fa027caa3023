//! What an account says about its container, with its secrets in the open: made where the storage is opened, and never kept
//! with the account.

use std::fmt;

use zeroize::Zeroizing;

use super::super::object::{Fingerprint, ObjectSettings};

/// Who asks the store. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum AzureCredentials {
    /// The environment (service principal), workload identity, or the managed identity of the machine.
    #[default]
    Chain,
    /// The key of the storage account.
    Key(Zeroizing<String>),
    /// A shared access signature: the query of a URL, without `?`.
    Sas(Zeroizing<String>),
}

impl fmt::Debug for AzureCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "Chain",
            Self::Key(_) => "Key",
            Self::Sas(_) => "Sas",
        })
    }
}

/// One container, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AzureSettings {
    /// The container.
    pub container: String,
    /// The storage account.
    pub account: String,
    /// The URL of the service without the container, whole (`https://account.blob.core.windows.net`, or for an emulator
    /// `http://127.0.0.1:10000/devstoreaccount1`).
    pub endpoint: String,
    /// Who asks.
    pub credentials: AzureCredentials,
    /// Certificate authorities of the endpoint, in PEM; in place of those of the system.
    pub certificate_authorities: Option<String>,
    /// The rest; the storage class is the access tier.
    pub objects: ObjectSettings,
}

impl AzureSettings {
    /// Tells the clients of two settings apart, without keeping what is secret.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let print = Fingerprint::default()
            .text(&self.container)
            .text(&self.account)
            .text(&self.endpoint)
            .option(self.certificate_authorities.as_deref());
        let print = match &self.credentials {
            AzureCredentials::Chain => print.text("chain"),
            AzureCredentials::Key(key) => print.text("key").text(key),
            AzureCredentials::Sas(query) => print.text("sas").text(query),
        };
        print.finish()
    }
}
