//! [`KeyMaterial`]: the numbers that a key is made of, checked for their size and shape before anybody computes with them.

use thiserror::Error;

use super::fields::Fields;

/// Sizes of RSA keys, in bits, that signatures are verified with (CVE-2026-39829: larger ones cost minutes).
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;
/// A public exponent has 33 bits at most; usual is 65537.
const LONGEST_EXPONENT: usize = 5;
/// What security keys call what they sign for, `ssh:...`.
const LONGEST_APPLICATION: usize = 1024;

/// Why nothing is computed with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MaterialError {
    /// DSA, or a type that we do not know.
    #[error("keys of this type do not log in")]
    Type,
    /// The fields are not those of the type.
    #[error("the key is malformed")]
    Malformed,
    /// An RSA key whose size is out of bounds.
    #[error("RSA keys must have 1024 to 8192 bits")]
    Size,
}

/// A NIST curve (RFC 5656 section 10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// The name within keys.
    const fn name(self) -> &'static [u8] {
        match self {
            Self::P256 => b"nistp256",
            Self::P384 => b"nistp384",
            Self::P521 => b"nistp521",
        }
    }

    /// Length of a coordinate and of each half of a signature, in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// What a key is made of. Lengths are right for the type; whether a point lies on its curve is for whoever computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMaterial<'a> {
    /// RFC 8709.
    Ed25519 {
        /// The public key.
        point: &'a [u8; 32],
    },
    /// RFC 5656.
    Ecdsa {
        /// The curve.
        curve: Curve,
        /// The public key, uncompressed (SEC 1 section 2.3.3).
        point: &'a [u8],
    },
    /// RFC 4253 section 6.6, 1024 to 8192 bits.
    Rsa {
        /// Without leading zeros.
        exponent: &'a [u8],
        /// Without leading zeros.
        modulus: &'a [u8],
    },
    /// Ed25519 in a security key (OpenSSH's PROTOCOL.u2f).
    SkEd25519 {
        /// The public key.
        point: &'a [u8; 32],
        /// What the security key signs for.
        application: &'a [u8],
    },
    /// ECDSA with P-256 in a security key.
    SkEcdsa {
        /// The public key, uncompressed.
        point: &'a [u8],
        /// What the security key signs for.
        application: &'a [u8],
    },
}

impl<'a> KeyMaterial<'a> {
    /// Takes a key blob apart.
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, MaterialError> {
        let mut fields = Fields::new(blob);
        let name = fields.string().ok_or(MaterialError::Malformed)?;
        let material = match name {
            b"ssh-ed25519" => ed25519(&mut fields).map(|point| Self::Ed25519 { point }),
            b"ecdsa-sha2-nistp256" => ecdsa(&mut fields, Curve::P256),
            b"ecdsa-sha2-nistp384" => ecdsa(&mut fields, Curve::P384),
            b"ecdsa-sha2-nistp521" => ecdsa(&mut fields, Curve::P521),
            b"ssh-rsa" => return rsa(fields),
            b"sk-ssh-ed25519@openssh.com" => ed25519(&mut fields)
                .zip(application(&mut fields))
                .map(|(point, application)| Self::SkEd25519 { point, application }),
            b"sk-ecdsa-sha2-nistp256@openssh.com" => point(&mut fields, Curve::P256)
                .zip(application(&mut fields))
                .map(|(point, application)| Self::SkEcdsa { point, application }),
            _ => return Err(MaterialError::Type),
        };
        material
            .filter(|_| fields.is_empty())
            .ok_or(MaterialError::Malformed)
    }

    /// The size of an RSA key; `None` for others, whose sizes are those of their types.
    pub fn rsa_bits(&self) -> Option<usize> {
        match self {
            Self::Rsa { modulus, .. } => Some(bits(modulus)),
            Self::Ed25519 { .. }
            | Self::Ecdsa { .. }
            | Self::SkEd25519 { .. }
            | Self::SkEcdsa { .. } => None,
        }
    }
}

fn ed25519<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8; 32]> {
    fields.string()?.try_into().ok()
}

fn ecdsa<'a>(fields: &mut Fields<'a>, curve: Curve) -> Option<KeyMaterial<'a>> {
    point(fields, curve).map(|point| KeyMaterial::Ecdsa { curve, point })
}

/// The name of the curve and a point in the uncompressed form, the only one in use.
fn point<'a>(fields: &mut Fields<'a>, curve: Curve) -> Option<&'a [u8]> {
    let name = fields.string()?;
    let point = fields.string()?;
    let is_whole = point.len() == 1 + 2 * curve.size() && point.first() == Some(&4);
    (name == curve.name() && is_whole).then_some(point)
}

fn application<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    fields
        .string()
        .filter(|application| application.len() <= LONGEST_APPLICATION)
}

fn rsa(mut fields: Fields<'_>) -> Result<KeyMaterial<'_>, MaterialError> {
    let exponent = fields.number().ok_or(MaterialError::Malformed)?;
    let modulus = fields.number().ok_or(MaterialError::Malformed)?;
    if !fields.is_empty() || exponent.is_empty() {
        return Err(MaterialError::Malformed);
    }
    if !RSA_BITS.contains(&bits(modulus)) || exponent.len() > LONGEST_EXPONENT {
        return Err(MaterialError::Size);
    }
    Ok(KeyMaterial::Rsa { exponent, modulus })
}

/// Bits of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len() * 8 - unused as usize
}

#[cfg(test)]
mod tests {
    use super::super::fields::put_string;
    use super::*;

    fn blob(fields: &[&[u8]]) -> Vec<u8> {
        let mut blob = Vec::new();
        for field in fields {
            put_string(&mut blob, field);
        }
        blob
    }

    fn rsa_of(bits: usize, exponent: &[u8]) -> Result<usize, MaterialError> {
        let mut modulus = vec![0; 1];
        modulus.extend(vec![0x80; bits / 8]);
        KeyMaterial::parse(&blob(&[b"ssh-rsa", exponent, &modulus]))
            .map(|material| material.rsa_bits().unwrap())
    }

    #[test]
    fn rsa_keys_have_1024_to_8192_bits_and_a_short_exponent() {
        let usual = [1, 0, 1];
        for bits in [1024, 2048, 8192] {
            assert_eq!(rsa_of(bits, &usual), Ok(bits));
        }
        for bits in [0, 512, 1016, 8200, 262_144] {
            assert_eq!(rsa_of(bits, &usual), Err(MaterialError::Size));
        }
        assert_eq!(rsa_of(2048, &[0x7f; 6]), Err(MaterialError::Size));
        assert_eq!(rsa_of(2048, &[]), Err(MaterialError::Malformed));
        assert_eq!(rsa_of(2048, &[0x80]), Err(MaterialError::Malformed));
        // Zeros in front do not make it larger, nor a first byte that is nearly empty.
        assert_eq!(rsa_of(8192, &[0, 0, 0, 0, 0, 0, 3]), Ok(8192));
        let small = [&[1][..], &[0; 128]].concat();
        let blob = blob(&[b"ssh-rsa", &usual, &small]);
        let material = KeyMaterial::parse(&blob);
        assert_eq!(material.map(|material| material.rsa_bits()), Ok(Some(1025)));
    }

    #[test]
    fn points_have_the_length_and_the_curve_of_their_type() {
        let point = |length| [&[4][..], &vec![9; length]].concat();
        let is_key = |name: &[u8], curve: &[u8], point: &[u8]| {
            KeyMaterial::parse(&blob(&[name, curve, point])).is_ok()
        };
        assert!(is_key(b"ecdsa-sha2-nistp256", b"nistp256", &point(64)));
        assert!(is_key(b"ecdsa-sha2-nistp384", b"nistp384", &point(96)));
        assert!(is_key(b"ecdsa-sha2-nistp521", b"nistp521", &point(132)));
        assert!(!is_key(b"ecdsa-sha2-nistp256", b"nistp384", &point(96)));
        assert!(!is_key(b"ecdsa-sha2-nistp256", b"nistp256", &point(63)));
        assert!(!is_key(b"ecdsa-sha2-nistp256", b"nistp256", &[2; 33]));
        assert!(!is_key(b"ecdsa-sha2-nistp256", b"nistp256", &[]));
    }

    #[test]
    fn fields_too_few_or_too_many_are_malformed() {
        let key = [7; 32];
        let parsed = |fields: &[&[u8]]| {
            let blob = blob(fields);
            let parsed = KeyMaterial::parse(&blob);
            parsed.map(|material| matches!(material, KeyMaterial::SkEd25519 { .. }))
        };
        assert_eq!(parsed(&[b"ssh-ed25519", &key]), Ok(false));
        assert_eq!(
            parsed(&[b"sk-ssh-ed25519@openssh.com", &key, b"ssh:"]),
            Ok(true)
        );
        let malformed = Err(MaterialError::Malformed);
        assert_eq!(parsed(&[b"ssh-ed25519", &key, b""]), malformed);
        assert_eq!(parsed(&[b"ssh-ed25519", &key[1..]]), malformed);
        assert_eq!(parsed(&[b"ssh-ed25519"]), malformed);
        assert_eq!(parsed(&[b"sk-ssh-ed25519@openssh.com", &key]), malformed);
        assert_eq!(parsed(&[]), malformed);
        assert_eq!(parsed(&[b"ssh-dss", &key]), Err(MaterialError::Type));
    }
}
