//! Dumps of the reference. Whatever comes is read or refused, and a user that is imported disabled was so, or a note says why.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::{explained, import_context};
use sftpgo_import::reference_dump;

fuzz_target!(|file: &[u8]| {
    if let Ok(import) = reference_dump(file, import_context()) {
        assert!(import.users.iter().all(explained));
    }
});
