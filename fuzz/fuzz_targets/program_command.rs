//! Command lines of git and rsync clients. Whatever comes: what is let through is nothing that a program takes for a path
//! elsewhere, for a shell, or for another option than the list has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sftpgo_wire::{exec, git, rsync};

/// Long options with a path behind them that leads out, or that start something else.
const NEVER: &[&[u8]] = &[
    b"--daemon",
    b"--config",
    b"--log-file",
    b"--rsync-path",
    b"--rsh",
    b"--write-devices",
    b"--copy-devices",
    b"--super",
    b"--chmod",
    b"--server",
    b"--sender",
];

fuzz_target!(|line: &[u8]| {
    let Ok(words) = exec::split(line) else {
        return;
    };
    if let Ok(command) = git::parse(&words) {
        assert!(!command.path.is_empty() && !command.path.starts_with(b"-"));
    }
    let Ok(command) = rsync::parse(&words) else {
        return;
    };
    assert!(command.sender || command.paths.len() == 1);
    assert!(!command.paths.is_empty());
    for option in &command.options {
        assert!(option.starts_with(b"-") && option != b"-" && option != b"--");
        let (name, value) = match option.iter().position(|byte| *byte == b'=') {
            Some(at) => (&option[..at], &option[at + 1..]),
            None => (&option[..], &b""[..]),
        };
        assert!(!NEVER.contains(&name));
        assert!(!value.starts_with(b"/"));
        if name.starts_with(b"--") {
            assert!(value.split(|byte| *byte == b'/').all(|part| part != b".."));
        } else {
            // The letters, up to what the client can do or a number.
            let letters = option.split(|byte| b"e@B".contains(byte)).next().unwrap();
            assert!(!letters[1..].iter().any(|letter| b"sKfTMP".contains(letter)));
        }
    }
});
