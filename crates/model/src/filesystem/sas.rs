//! Shared access signatures of Azure: what a URL of one says.

use std::fmt;

use url::{Host, Url};
use zeroize::Zeroizing;

/// A shared access signature. `Debug` shows no signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Sas {
    /// Where it leads, if it is a whole URL.
    pub place: Option<SasPlace>,
    /// The query of the URL, without `?`: the signature.
    pub query: Zeroizing<String>,
}

/// What the URL of a signature names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SasPlace {
    /// The URL of the service, without a slash at its end.
    pub endpoint: String,
    /// The storage account.
    pub account: String,
    /// The container, if it is a signature of one.
    pub container: Option<String>,
}

impl fmt::Debug for Sas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sas")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Sas {
    /// Reads a URL of a service or of a container with a signature, or the signature alone. `None` of anything else, also of a
    /// signature of a single blob.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.contains("://") {
            let query = text.strip_prefix('?').unwrap_or(text);
            return has_signature(query).then(|| Self {
                place: None,
                query: Zeroizing::new(query.to_owned()),
            });
        }
        let url = Url::parse(text).ok()?;
        let query = url.query().filter(|query| has_signature(query))?;
        let place = SasPlace::of(&url)?;
        Some(Self {
            place: Some(place),
            query: Zeroizing::new(query.to_owned()),
        })
    }
}

impl SasPlace {
    /// What the URL of a service says, without a signature; `None` if it is none.
    pub fn of_service(url: &str) -> Option<Self> {
        Self::of(&Url::parse(url).ok()?)
    }

    fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return None;
        }
        let origin = url.origin().ascii_serialization();
        let mut names = url.path_segments()?.filter(|name| !name.is_empty());
        // Emulators have the account in the path.
        let (endpoint, account) = match url.host()? {
            Host::Domain(domain) if domain.contains('.') => {
                let account = domain.split('.').next()?.to_owned();
                (origin, account)
            }
            Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => {
                let account = names.next()?;
                (format!("{origin}/{account}"), account.to_owned())
            }
        };
        let container = names.next().map(str::to_owned);
        names.next().is_none().then_some(Self {
            endpoint,
            account,
            container,
        })
    }
}

fn has_signature(query: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair.strip_prefix("sig=").is_some_and(|sig| !sig.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(endpoint: &str, account: &str, container: Option<&str>) -> Option<SasPlace> {
        Some(SasPlace {
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            container: container.map(str::to_owned),
        })
    }

    #[test]
    fn the_url_of_a_signature_names_service_account_and_container() {
        for (url, named) in [
            (
                "https://acc.blob.core.windows.net/box?sv=1&sig=s3cret",
                place("https://acc.blob.core.windows.net", "acc", Some("box")),
            ),
            (
                "https://acc.blob.core.windows.net/?sv=1&sig=s3cret",
                place("https://acc.blob.core.windows.net", "acc", None),
            ),
            (
                "http://127.0.0.1:10000/acc/box?sv=1&sig=s3cret",
                place("http://127.0.0.1:10000/acc", "acc", Some("box")),
            ),
            ("?sv=1&sig=s3cret", None),
            ("sv=1&sig=s3cret", None),
        ] {
            let sas = Sas::parse(url).unwrap();
            assert_eq!(sas.place, named, "{url}");
            assert_eq!(sas.query.as_str(), "sv=1&sig=s3cret");
            assert!(!format!("{sas:?}").contains("s3cret"));
        }
    }

    #[test]
    fn what_is_no_signature_of_a_service_or_a_container_is_none() {
        for text in [
            "",
            "sv=1",
            "https://acc.blob.core.windows.net/box",
            "https://acc.blob.core.windows.net/box?sv=1&sig=",
            "https://acc.blob.core.windows.net/box/blob?sv=1&sig=x",
            "ftp://acc.blob.core.windows.net/box?sig=x",
            "http://127.0.0.1:10000/?sig=x",
            "https://u:p@acc.blob.core.windows.net/box?sig=x",
        ] {
            assert_eq!(Sas::parse(text), None, "{text}");
        }
    }
}
