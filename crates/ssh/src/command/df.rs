//! `df`: space of the disk within what the account's quota leaves of it, in the columns of `df -P -k` that sync tools read
//! (rclone: `df -k PATH`).

use sftpgo_core::model::VirtualPath;
use sftpgo_core::{OpResult, Session, Space};

use super::paths::{self, Argument};
use super::run::Answer;
use super::table::Exec;

const OPTIONS: &[&str] = &["-k", "-P", "-kP", "-Pk", "--portability"];

pub(super) async fn run(session: &Session, exec: &Exec) -> Answer {
    let name = exec.name();
    let mut answer = Answer::default();
    let mut paths = match paths::arguments(exec, OPTIONS) {
        Ok(paths) => paths,
        Err(error) => {
            answer.fail(&name, "", error);
            return answer;
        }
    };
    answer.argument = Argument::new(paths.last().copied());
    if paths.is_empty() {
        paths.push(b"/");
    }
    answer
        .output
        .extend_from_slice(b"Filesystem     1024-blocks      Used Available Capacity Mounted on\n");
    for path in paths {
        match space(session, path).await {
            Ok(space) => answer.output.extend_from_slice(line(&space).as_bytes()),
            Err(error) => answer.fail(&name, &sftpgo_core::model::path::escape_bytes(path), error),
        }
    }
    answer
}

async fn space(session: &Session, path: &[u8]) -> OpResult<Space> {
    session.space(&VirtualPath::parse(path)?).await
}

/// The path of the disk on the server is nobody's business: every path is on the one file system of the account.
fn line(space: &Space) -> String {
    let kib = |blocks: u64| {
        let bytes = u128::from(blocks) * u128::from(space.fragment_size);
        u64::try_from(bytes / 1024).unwrap_or(u64::MAX)
    };
    let total = kib(space.blocks);
    let used = kib(space.blocks.saturating_sub(space.blocks_free));
    let available = kib(space.blocks_available);
    // As `df` does: of what users can have, rounded up.
    let usable = u128::from(used) + u128::from(available);
    let capacity = (u128::from(used) * 100).div_ceil(usable.max(1));
    format!("sftpgo         {total:>11} {used:>9} {available:>9} {capacity:>7}% /\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_shown_in_kib_and_capacity_is_rounded_up() {
        let space = Space {
            fragment_size: 4096,
            blocks: 1000,
            blocks_free: 500,
            blocks_available: 400,
            ..Space::default()
        };
        let line = line(&space);
        let columns: Vec<_> = line.split_whitespace().collect();
        assert_eq!(columns, ["sftpgo", "4000", "2000", "1600", "56%", "/"]);
    }
}
