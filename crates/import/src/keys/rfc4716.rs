//! The file format of RFC 4716: headers and base64 between two lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sftpgo_model::PublicKey;

pub(super) const BEGIN: &str = "---- BEGIN SSH2 PUBLIC KEY ----";
const END: &str = "---- END SSH2 PUBLIC KEY ----";

/// The keys of a file as `authorized_keys` lines; `None` for a block that is no key.
pub(super) fn blocks(content: &str) -> impl Iterator<Item = Option<String>> {
    content.split(BEGIN).skip(1).map(|block| {
        let (block, _) = block.split_once(END)?;
        let blob = STANDARD.decode(base64_of(block)).ok()?;
        Some(PublicKey::from_blob(&blob).ok()?.to_line())
    })
}

/// What is no header. A header has a colon, and goes on in the next line behind a backslash (RFC 4716 section 3.3).
fn base64_of(block: &str) -> String {
    let mut text = String::new();
    let mut goes_on = false;
    for line in block.lines().map(str::trim) {
        if goes_on || line.contains(':') {
            goes_on = line.ends_with('\\');
        } else {
            text.push_str(line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_between_their_lines_and_headers_are_not_in_them() {
        // As `ssh-keygen -e` writes it.
        let file = "junk\n---- BEGIN SSH2 PUBLIC KEY ----\nSubject: alice\nComment: \"a long \\\none\"\n\
            AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwN\r\nDg8QERITFBUWFxgZGhscHR4f\n---- END SSH2 PUBLIC KEY ----\n\
            ---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n---- BEGIN SSH2 PUBLIC KEY ----\n";
        let expected =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        let found: Vec<_> = blocks(file).collect();
        assert_eq!(found, [Some(expected.to_owned()), None, None]);
    }
}
