//! Sealing and opening of back end secrets in the reference's format (reference 16.5).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sftpgo_model::{FilesystemConfig, Secret};
use zeroize::Zeroizing;

use crate::error::{OpError, OpErrorKind, OpResult};

/// Seals a plain secret as `$aes$<key>$<data>`; any other form is given back as it is.
pub fn seal(secret: &Secret) -> OpResult<Secret> {
    let Secret::Plain(plain) = secret else {
        return Ok(secret.clone());
    };
    let failed = || OpError::with_source(OpErrorKind::Internal, "sealing a secret failed");
    let mut random = [0_u8; 16 + NONCE_LEN];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| failed())?;
    let (key, nonce) = random.split_at(16);
    let key = hex(key);
    let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| failed())?;
    let cipher = cipher(&key).ok_or_else(failed)?;
    let mut data = plain.as_bytes().to_vec();
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut data)
        .map_err(|_| failed())?;
    Ok(Secret::Sealed(format!(
        "$aes${key}${}{}",
        hex(&nonce),
        hex(&data)
    )))
}

/// Opens a sealed secret; `None` if it is not sealed or was damaged.
pub fn open(secret: &Secret) -> Option<Zeroizing<String>> {
    let Secret::Sealed(text) = secret else {
        return None;
    };
    let mut parts = text.split('$').skip(2);
    let (key, data) = (parts.next()?, parts.next()?);
    let mut bytes = Zeroizing::new(unhex(data)?);
    let nonce: [u8; NONCE_LEN] = bytes.get(..NONCE_LEN)?.try_into().ok()?;
    let sealed = bytes.get_mut(NONCE_LEN..)?;
    let plain = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), sealed)
        .ok()?;
    Some(Zeroizing::new(std::str::from_utf8(plain).ok()?.to_owned()))
}

/// Seals every plain secret of all back ends. One that is the same as in `before` becomes what it is there.
pub(crate) fn seal_all(
    config: &mut FilesystemConfig,
    before: Option<&FilesystemConfig>,
) -> OpResult<()> {
    let mut stored = before.map(FilesystemConfig::secrets).into_iter().flatten();
    config.change_secrets(|_, _, secret| {
        let stored = stored.next().map(|(_, _, secret)| secret);
        let Secret::Plain(plain) = &*secret else {
            return Ok(());
        };
        let same = stored.filter(|stored| open(stored).is_some_and(|opened| opened == *plain));
        *secret = match same {
            Some(stored) => stored,
            None => seal(secret)?,
        };
        Ok(())
    })
}

/// The key is the ASCII text of 32 hexadecimal digits, not the bytes they stand for.
fn cipher(key: &str) -> Option<LessSafeKey> {
    Some(LessSafeKey::new(
        UnboundKey::new(&AES_256_GCM, key.as_bytes()).ok()?,
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_again_and_hides_its_text() {
        let sealed = seal(&Secret::from_text("s3cret")).unwrap();
        let Secret::Sealed(text) = &sealed else {
            unreachable!()
        };
        assert!(
            text.starts_with("$aes$") && text.split('$').count() == 4 && !text.contains("s3cret")
        );
        assert_eq!(open(&sealed).unwrap().as_str(), "s3cret");
        assert!(open(&Secret::from_text("$aes$00$00")).is_none());
        assert_eq!(seal(&sealed).unwrap(), sealed);
    }

    #[test]
    fn every_secret_of_every_back_end_is_sealed_and_one_that_stays_is_not_sealed_anew() {
        let mut config = FilesystemConfig::default();
        for (_, field, _) in config.secrets() {
            field.set(&mut config, field.name).unwrap();
        }
        let plain = config.clone();
        seal_all(&mut config, None).unwrap();
        for (_, field, secret) in config.secrets() {
            assert_eq!(open(&secret).unwrap().as_str(), field.name);
        }
        let mut again = plain;
        again.s3config.access_secret = Secret::from_text("another");
        seal_all(&mut again, Some(&config)).unwrap();
        assert_ne!(again.s3config.access_secret, config.s3config.access_secret);
        again.s3config.access_secret = config.s3config.access_secret.clone();
        assert_eq!(again, config);
    }

    /// Made by two other implementations of AES-256-GCM (the Python package `cryptography`, and FIPS 197 with SP 800-38D
    /// written down in Python) from reference 16.5: the key is the text `00010203...0e0f`, the nonce 0x10 to 0x1b.
    #[test]
    fn a_secret_that_others_sealed_opens() {
        let sealed = "$aes$000102030405060708090a0b0c0d0e0f$101112131415161718191a1b2a631deb37b4fb0137290ba2796e0590a8035019e32a856eded59b26bab60b0c4fb021";
        let opened = open(&Secret::from_text(sealed)).unwrap();
        assert_eq!(opened.as_str(), "an S3 secret: ü/+=");
        let damaged = sealed.replace("2a63", "2a64");
        assert!(open(&Secret::from_text(&damaged)).is_none());
    }
}
