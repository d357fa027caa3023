//! Certificates as clients send them. What is taken apart is what came: the signed part and the signature make up the whole,
//! the key in it is a key, and one that names nobody or is not valid yet does so whenever it is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_model::{Certificate, PublicKey};

fuzz_target!(|blob: &[u8]| {
    // The same bytes as a key: never both.
    let key = PublicKey::from_blob(blob);
    if let Ok(key) = &key {
        let _ = key.material();
        assert_eq!(key.blob(), blob);
    }
    let Ok(certificate) = Certificate::from_blob(blob) else {
        return;
    };
    assert!(key.is_err());
    let (signed, signature) = (certificate.signed(), certificate.signature());
    assert!(blob.starts_with(signed) && blob.ends_with(signature));
    assert_eq!(signed.len() + 4 + signature.len(), blob.len());
    let certified = PublicKey::from_blob(certificate.key().blob()).unwrap();
    assert!(certified.same_key(certificate.key()));
    let _ = certified.material();
    assert!(PublicKey::from_blob(certificate.authority().blob()).is_ok());
    assert!(!certificate.is_valid_at(u64::MAX), "no certificate is valid then");
    assert!(!certificate.key_id().contains('\0'));
});
