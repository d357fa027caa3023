//! Which algorithms are offered: our defaults, or the lists of the settings.

use std::borrow::Cow;

use russh::keys::{Algorithm, HashAlg};
use russh::{Preferred, cipher, compression, kex, mac};

use crate::config::SftpdSettings;

/// Best first. No SHA-1, no CBC, no NIST curves: an audit of the default finds nothing to complain about. All can be had by name.
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_G14_SHA256,
];

/// Not algorithms but marks: server-sig-algs (RFC 8308) and the answer to the Terrapin attack.
const KEX_EXTENSIONS: &[kex::Name] = &[
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_128_CTR,
    cipher::AES_192_CTR,
    cipher::AES_256_CTR,
];

const MACS: &[mac::Name] = &[
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256,
    mac::HMAC_SHA512,
];

/// Host key signatures, best first. RSA signs with SHA-2 only.
const HOST_KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: russh::keys::EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: russh::keys::EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: russh::keys::EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// The lists of the settings, and the names in them that do not exist here.
pub(crate) fn preferred(settings: &SftpdSettings) -> (Preferred, Vec<String>) {
    let mut unknown = Vec::new();
    let mut kex = pick(&settings.kex_algorithms, KEX, &mut unknown);
    kex.extend_from_slice(KEX_EXTENSIONS);
    let preferred = Preferred {
        kex: Cow::Owned(kex),
        key: Cow::Borrowed(HOST_KEYS),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Owned(pick(&settings.ciphers, CIPHERS, &mut unknown)),
        mac: Cow::Owned(pick(&settings.macs, MACS, &mut unknown)),
        // Files that need it are compressed already, and compression before encryption leaks lengths.
        compression: Cow::Borrowed(&[compression::NONE]),
    };
    (preferred, unknown)
}

/// The known ones of `names` in their order; the defaults if none is named or known.
fn pick<T>(names: &[String], defaults: &[T], unknown: &mut Vec<String>) -> Vec<T>
where
    T: Copy + for<'a> TryFrom<&'a str>,
{
    let mut picked = Vec::new();
    for name in names {
        match T::try_from(name) {
            Ok(known) => picked.push(known),
            Err(_) => unknown.push(name.clone()),
        }
    }
    if picked.is_empty() {
        defaults.to_vec()
    } else {
        picked
    }
}
