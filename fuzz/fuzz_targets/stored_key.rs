//! Lines of `authorized_keys` as accounts store them. A line with options has the same key as without them, and an option
//! that restricts is either understood or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_model::public_key::KeyOptions;
use sftpgo_model::{PublicKey, StoredKey};

fuzz_target!(|value: &str| {
    if let Ok(options) = KeyOptions::parse(value) {
        assert!(options.cert_authority || options.principals.is_none());
        if let Some(from) = &options.from {
            let _ = from.allow([192, 0, 2, 7].into());
        }
    }
    let stored = StoredKey::parse_all(value);
    let keys = PublicKey::parse_all(value);
    assert_eq!(stored.is_ok(), keys.is_ok());
    for (stored, key) in stored.into_iter().flatten().zip(keys.into_iter().flatten()) {
        assert!(stored.key.same_key(&key));
        assert_eq!(PublicKey::parse(&key.to_line()), Ok(key));
        if !stored.has_options {
            assert_eq!(stored.options, Ok(KeyOptions::default()));
        }
    }
});
