//! Database files of the reference's driver `bolt`: any, and one whose meta pages, which have checksums, are whole. Whatever
//! comes is read or refused, and read to its end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::import_context;
use sftpgo_import::reference_bolt;

const FILE: &[u8] = include_bytes!("../../crates/import/tests/data/reference-0.9.6.bolt");
const META_PAGES: usize = 8192;

fuzz_target!(|input: &[u8]| {
    let _ = reference_bolt(input, import_context());
    // The first two bytes say where the rest goes.
    let Some((at, bytes)) = input.split_first_chunk::<2>() else {
        return;
    };
    let mut file = FILE.to_vec();
    let at = META_PAGES + usize::from(u16::from_le_bytes(*at));
    for (slot, byte) in file.iter_mut().skip(at).zip(bytes) {
        *slot = *byte;
    }
    let _ = reference_bolt(&file, import_context());
});
