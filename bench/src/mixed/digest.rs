//! `md5sum` and its kind by exec requests, compared with the known content.

use std::sync::Arc;

use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use bytes::BytesMut;
use md5::{Digest as _, Md5};

use super::exec::{Exec, command};
use super::folder::Stored;
use crate::content::hex;
use crate::error::LoadError;
use crate::target::{Login, Target};

/// The commands.
pub(super) const PROGRAMS: &[&str] = &["md5sum", "sha1sum", "sha256sum", "sha384sum", "sha512sum"];

/// What `program` must print of a file.
fn expected(program: &str, stored: &Stored) -> String {
    let algorithm: &'static Algorithm = match program {
        "sha1sum" => &SHA1_FOR_LEGACY_USE_ONLY,
        "sha256sum" => &SHA256,
        "sha384sum" => &SHA384,
        "sha512sum" => &SHA512,
        _ => {
            let mut context = Md5::new();
            stored
                .content
                .feed(stored.size, |piece| context.update(piece));
            return hex(&context.finalize());
        }
    };
    let mut context = Context::new(algorithm);
    stored
        .content
        .feed(stored.size, |piece| context.update(piece));
    hex(context.finish().as_ref())
}

/// Digests of files on the server, in one request.
pub(super) async fn of_files(
    target: &Arc<Target>,
    login: &Login,
    program: &str,
    files: &[(Vec<u8>, Stored)],
) -> Result<(), LoadError> {
    let paths: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
    let exec = Exec::start(target, login, command(program, &paths)).await?;
    let output = exec.finish().await?;
    let mut wanted = Vec::new();
    for (path, stored) in files {
        wanted.extend_from_slice(expected(program, stored).as_bytes());
        wanted.extend_from_slice(b"  ");
        wanted.extend_from_slice(path);
        wanted.push(b'\n');
    }
    compare(program, &output, &wanted)
}

/// The digest of what is sent to the command.
pub(super) async fn of_input(
    target: &Arc<Target>,
    login: &Login,
    program: &str,
    stored: &Stored,
) -> Result<(), LoadError> {
    const PIECE: u64 = 100_000;
    let exec = Exec::start(target, login, program.as_bytes().to_vec()).await?;
    let mut offset = 0;
    while offset < stored.size {
        let len = PIECE.min(stored.size - offset);
        let mut piece = BytesMut::new();
        let len_bytes = usize::try_from(len).unwrap_or(0);
        stored.content.append(offset, len_bytes, &mut piece);
        exec.send(piece).await?;
        offset += len;
    }
    exec.end_input().await?;
    let output = exec.finish().await?;
    let wanted = format!("{}  -\n", expected(program, stored));
    compare(program, &output, wanted.as_bytes())
}

fn compare(program: &str, output: &[u8], wanted: &[u8]) -> Result<(), LoadError> {
    if output == wanted {
        return Ok(());
    }
    Err(LoadError::Wrong(format!(
        "{program} printed {:?}, not {:?}",
        String::from_utf8_lossy(output),
        String::from_utf8_lossy(wanted)
    )))
}
