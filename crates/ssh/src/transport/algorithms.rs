//! The chosen algorithms in the words of the SSH library.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, compression, kex};

use crate::algorithms::Algorithms;

/// Not algorithms but marks: server-sig-algs (RFC 8308) and the answer to the Terrapin attack.
const KEX_EXTENSIONS: [kex::Name; 2] = [
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

/// What is offered to clients. Every name that the settings know, the library knows too; a test holds them together.
pub(crate) fn preferred(algorithms: &Algorithms) -> Preferred {
    let mut kex: Vec<kex::Name> = known(&algorithms.kex);
    kex.extend(KEX_EXTENSIONS);
    let host_keys = algorithms.host_keys.iter();
    Preferred {
        kex: Cow::Owned(kex),
        key: Cow::Owned(host_keys.filter_map(|name| signature(name)).collect()),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Owned(known(&algorithms.ciphers)),
        mac: Cow::Owned(known(&algorithms.macs)),
        // Files that need it are compressed already, and compression before encryption leaks lengths.
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

fn known<T: for<'a> TryFrom<&'a str>>(names: &[&'static str]) -> Vec<T> {
    names
        .iter()
        .filter_map(|name| T::try_from(*name).ok())
        .collect()
}

fn signature(name: &str) -> Option<Algorithm> {
    // An unknown name is an algorithm too, for the library.
    Algorithm::new(name)
        .ok()
        .filter(|found| !matches!(found, Algorithm::Other(_)))
}

#[cfg(test)]
mod tests {
    use russh::{cipher, mac};
    use sftpgo_core::auth::AcceptedSignatures;

    use super::*;
    use crate::algorithms::every_name;

    #[test]
    fn every_name_that_a_setting_may_have_is_known_to_the_library() {
        let every = every_name();
        assert_eq!(known::<kex::Name>(&every.kex).len(), every.kex.len());
        assert_eq!(
            known::<cipher::Name>(&every.ciphers).len(),
            every.ciphers.len()
        );
        assert_eq!(known::<mac::Name>(&every.macs).len(), every.macs.len());
        for name in &every.host_keys {
            assert_eq!(signature(name).unwrap().to_string(), *name);
        }
        // These are verified without the library.
        let mut verified: Vec<_> = AcceptedSignatures::every_name().collect();
        verified.sort_unstable();
        let mut named = every.public_keys;
        named.sort_unstable();
        assert_eq!(named, verified);
    }
}
