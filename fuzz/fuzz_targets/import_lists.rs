//! Lists of users of Linux, ProFTPD and Pure-FTPd. Whatever comes is read or refused, and a user that is imported disabled says
//! why. The rest of the input behind a NUL is the other file: shadow, groups, keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_fuzz::{explained, import_context};
use sftpgo_import::{KeyFile, LinuxFiles, ProftpdFiles, UidRange, linux, proftpd, pure_ftpd};

fuzz_target!(|input: &[u8]| {
    let at = input.iter().position(|&byte| byte == 0);
    let (list, other) = input.split_at(at.unwrap_or(input.len()));
    let linux_files = LinuxFiles {
        passwd: list,
        shadow: Some(other),
    };
    let mut keys = |name: &str, _: &str| {
        let content = Ok(other.to_vec());
        vec![KeyFile {
            name: name.to_owned(),
            content,
        }]
    };
    let proftpd_files = ProftpdFiles {
        users: list,
        groups: Some(other),
    };
    for import in [
        linux(linux_files, &UidRange(0..=u32::MAX), &mut keys, import_context()),
        proftpd(proftpd_files, &mut keys, import_context()),
        pure_ftpd(list, import_context()),
    ] {
        assert!(import.is_err() || import.is_ok_and(|import| import.users.iter().all(explained)));
    }
});
