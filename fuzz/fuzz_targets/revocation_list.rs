//! Files with what was revoked, binary and plain. Whatever comes is read or refused, and what is listed can be found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_model::PublicKey;
use sftpgo_model::public_key::RevocationList;

/// Ends where a list of sections begins.
const HEADER: &[u8] = b"SSHKRL\n\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fuzz_target!(|file: &[u8]| {
    let _ = RevocationList::parse(&[HEADER, file].concat());
    let Ok(list) = RevocationList::parse(file) else {
        return;
    };
    if file.starts_with(b"SSHKRL\n\0") {
        return;
    }
    let text = String::from_utf8_lossy(file);
    let mut keys = PublicKey::lines(&text).filter_map(|line| PublicKey::parse(line).ok());
    assert!(keys.all(|key| list.revokes_key(&key, &[0; 20], &[0; 32])));
});
