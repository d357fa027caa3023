//! sftpgo patch 30: signatures with RSA keys by aws-lc. The `rsa` crate takes a time that depends on the private key and on
//! what is signed (RUSTSEC-2023-0071, the Marvin attack), and clients choose a part of what a host key signs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding};
use der::Encode as _;
use der::asn1::UintRef;
use num_bigint::BigUint;
use ssh_key::private::RsaKeypair;
use ssh_key::{Algorithm, HashAlg, Mpint, Signature};

/// The signature; `None` for a key that aws-lc does not take (fewer than 2,048 bits or more than 8,192), or a broken one.
pub(crate) fn sign(pair: &RsaKeypair, hash: HashAlg, data: &[u8]) -> Option<Signature> {
    let padding: &'static dyn RsaEncoding = match hash {
        HashAlg::Sha256 => &RSA_PKCS1_SHA256,
        HashAlg::Sha512 => &RSA_PKCS1_SHA512,
        _ => return None,
    };
    let key = KeyPair::from_der(&pkcs1(pair)?).ok()?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(padding, &SystemRandom::new(), data, &mut signature)
        .ok()?;
    Signature::new(Algorithm::Rsa { hash: Some(hash) }, signature).ok()
}

fn pkcs1(pair: &RsaKeypair) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    fn bytes(number: &Mpint) -> Option<&[u8]> {
        number.as_positive_bytes()
    }
    let (n, e) = (bytes(pair.public().n())?, bytes(pair.public().e())?);
    let private = pair.private();
    let (d, p, q) = (bytes(private.d())?, bytes(private.p())?, bytes(private.q())?);
    let exponent = |prime: &[u8]| {
        let order = BigUint::from_bytes_be(prime) - 1_u8;
        let reduced = BigUint::from_bytes_be(d) % order;
        zeroize::Zeroizing::new(reduced.to_bytes_be())
    };
    if p.len() < 2 || q.len() < 2 {
        return None;
    }
    let (exponent1, exponent2) = (exponent(p), exponent(q));
    let key = pkcs1::RsaPrivateKey {
        modulus: UintRef::new(n).ok()?,
        public_exponent: UintRef::new(e).ok()?,
        private_exponent: UintRef::new(d).ok()?,
        prime1: UintRef::new(p).ok()?,
        prime2: UintRef::new(q).ok()?,
        exponent1: UintRef::new(&exponent1).ok()?,
        exponent2: UintRef::new(&exponent2).ok()?,
        coefficient: UintRef::new(bytes(private.iqmp())?).ok()?,
        other_prime_infos: None,
    };
    key.to_der().ok().map(zeroize::Zeroizing::new)
}
