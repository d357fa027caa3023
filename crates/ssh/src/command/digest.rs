//! `md5sum`, `sha1sum`, `sha256sum`, `sha384sum`, `sha512sum`: of files, or of what the client sends.

use sftpgo_core::digest::DigestAlgorithm;
use sftpgo_core::model::VirtualPath;
use sftpgo_core::{OpResult, Session};

use super::paths::{self, Argument};
use super::run::Answer;
use super::table::Exec;
use crate::transport::{ChannelInput, Input, Window};

/// Text or binary makes no difference here.
const OPTIONS: &[&str] = &["-b", "-t", "--binary", "--text"];

/// Whether the digest is that of the client's input.
pub(super) fn reads_input(exec: &Exec) -> bool {
    matches!(paths::arguments(exec, OPTIONS).as_deref(), Ok([] | [b"-"]))
}

/// One line a file, `<hex>  <path>`; files that fail have a line that says why.
pub(super) async fn of_files(session: &Session, exec: &Exec, algorithm: DigestAlgorithm) -> Answer {
    let name = exec.name();
    let mut answer = Answer::default();
    let paths = match paths::arguments(exec, OPTIONS) {
        Ok(paths) => paths,
        Err(error) => {
            answer.fail(&name, "", error);
            return answer;
        }
    };
    answer.argument = Argument::new(paths.last().copied());
    for path in paths {
        match of_file(session, path, algorithm).await {
            Ok((path, digest)) => {
                let (mark, printed) = paths::printed(&path);
                answer.output.extend_from_slice(mark);
                answer.output.extend_from_slice(hex(&digest).as_bytes());
                answer.output.extend_from_slice(b"  ");
                answer.output.extend_from_slice(&printed);
                answer.output.push(b'\n');
            }
            Err(error) => {
                let shown = VirtualPath::parse(path).map_or_else(
                    |_| sftpgo_core::model::path::escape_bytes(path),
                    |path| path.to_string(),
                );
                answer.fail(&name, &shown, error);
            }
        }
    }
    answer
}

async fn of_file(
    session: &Session,
    path: &[u8],
    algorithm: DigestAlgorithm,
) -> OpResult<(VirtualPath, Vec<u8>)> {
    let path = VirtualPath::parse(path)?;
    let file = session.open_digest(&path).await?;
    let (digest, _) = file.range(algorithm, 0, u64::MAX).await?;
    Ok((path, digest))
}

/// `<hex>  -`; `None` if the client closed the channel before the end of its input.
pub(super) async fn of_input(
    session: &Session,
    input: &mut ChannelInput,
    exec: &Exec,
    algorithm: DigestAlgorithm,
) -> Option<Answer> {
    let mut digest = session.digest_stream(algorithm);
    loop {
        match input.next().await {
            Input::Data(data) => {
                // Held until it is hashed: a fast client waits for us, not in our memory.
                let _held = input.window().part(Window::cost(data.len()));
                if let Err(error) = digest.update(data).await {
                    let mut answer = Answer::default();
                    answer.fail(&exec.name(), "-", error);
                    return Some(answer);
                }
            }
            Input::Eof => break,
            Input::Closed => return None,
        }
    }
    Some(match digest.finish() {
        Ok(digest) => Answer::of(format!("{}  -\n", hex(&digest))),
        Err(error) => {
            let mut answer = Answer::default();
            answer.fail(&exec.name(), "-", error);
            answer
        }
    })
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
