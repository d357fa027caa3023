//! The protocol of `scp` before it spoke SFTP, as OpenSSH's `scp -O` speaks it over an exec request. Written apart from
//! the server's own, so that a mistake in one does not hide in the other.

use std::sync::Arc;

use bytes::BytesMut;

use super::exec::{Exec, command};
use super::folder::Stored;
use crate::error::LoadError;
use crate::target::{Login, Target};

const PIECE: u64 = 65_536;

/// One entry of a tree, in the order in which it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    File(String, Stored),
    Enter(String),
    Leave,
}

/// A transfer that runs.
pub(super) struct Scp(Exec);

impl Scp {
    /// Starts `scp` on the server; `options` as a client gives them, `-t` or `-f` among them.
    pub(super) async fn start(
        target: &Arc<Target>,
        login: &Login,
        options: &str,
        path: Vec<u8>,
    ) -> Result<Self, LoadError> {
        let line = command(&format!("scp {options}"), &[path]);
        Ok(Self(Exec::start(target, login, line).await?))
    }

    /// Waits for the zero byte with which the other side agrees.
    pub(super) async fn agreed(&mut self) -> Result<(), LoadError> {
        match self.0.byte().await? {
            0 => Ok(()),
            1 | 2 => {
                let text = self.0.line().await?;
                let text = String::from_utf8_lossy(&text);
                Err(LoadError::Wrong(format!("scp: {text}")))
            }
            other => Err(LoadError::Wrong(format!("scp: answer {other}"))),
        }
    }

    async fn record(&mut self, record: String) -> Result<(), LoadError> {
        self.0.send(record.into_bytes()).await?;
        self.agreed().await
    }

    /// Announces a file.
    pub(super) async fn begin(&mut self, name: &str, size: u64) -> Result<(), LoadError> {
        self.record(format!("C0644 {size} {name}\n")).await
    }

    /// Sends the bytes of a file up to `end`.
    pub(super) async fn data(&mut self, stored: &Stored, end: u64) -> Result<(), LoadError> {
        let mut offset = 0;
        while offset < end {
            let len = PIECE.min(end - offset);
            let mut piece = BytesMut::new();
            let bytes = usize::try_from(len).unwrap_or(0);
            stored.content.append(offset, bytes, &mut piece);
            self.0.send(piece).await?;
            offset += len;
        }
        Ok(())
    }

    /// Sends entries, one after the other, and ends the transfer.
    pub(super) async fn put(mut self, entries: &[Entry], times: bool) -> Result<(), LoadError> {
        self.agreed().await?;
        for entry in entries {
            if times && !matches!(entry, Entry::Leave) {
                self.record("T1500000000 0 1500000001 0\n".into()).await?;
            }
            match entry {
                Entry::File(name, stored) => {
                    self.begin(name, stored.size).await?;
                    self.data(stored, stored.size).await?;
                    self.0.send(&[0_u8][..]).await?;
                    self.agreed().await?;
                }
                Entry::Enter(name) => self.record(format!("D0755 0 {name}\n")).await?,
                Entry::Leave => self.record("E\n".into()).await?,
            }
        }
        self.0.end_input().await?;
        nothing_more(&self.0.finish().await?)
    }

    /// Receives everything, compares each file with the one of `expected` that has its name, and gives the entries as
    /// they came.
    pub(super) async fn get(mut self, expected: &[Entry]) -> Result<Vec<Entry>, LoadError> {
        let mut entries = Vec::new();
        self.agree().await?;
        while let Some(line) = self.next_record().await? {
            let (kind, rest) = line.split_at_checked(1).unwrap_or(("", ""));
            match kind {
                "T" => {}
                "D" => entries.push(Entry::Enter(name_of(rest)?.0)),
                "E" => entries.push(Entry::Leave),
                "C" => {
                    let (name, size) = name_of(rest)?;
                    let stored = find(expected, &name, size)?;
                    self.agree().await?;
                    self.compare(&stored, size).await?;
                    self.agreed().await?;
                    entries.push(Entry::File(name, stored));
                }
                _ => return Err(LoadError::Wrong(format!("scp: {line}"))),
            }
            self.agree().await?;
        }
        nothing_more(&self.0.finish().await?)?;
        Ok(entries)
    }

    /// Answers with a zero byte.
    pub(super) async fn agree(&mut self) -> Result<(), LoadError> {
        // The source may have ended after the last one, and closed the channel.
        let _ = self.0.send(&[0_u8][..]).await;
        Ok(())
    }

    /// The next line; `None` if the output ended.
    pub(super) async fn next_record(&mut self) -> Result<Option<String>, LoadError> {
        let Some(first) = self.0.piece(1).await? else {
            return Ok(None);
        };
        let mut line = first.to_vec();
        line.extend(self.0.line().await?);
        String::from_utf8(line)
            .map(Some)
            .map_err(|_| LoadError::Wrong("scp: a record that is not UTF-8".into()))
    }

    /// Receives the first `size` bytes of a file.
    pub(super) async fn compare(&mut self, stored: &Stored, size: u64) -> Result<(), LoadError> {
        let mut offset = 0;
        while offset < size {
            let most = usize::try_from(size - offset).unwrap_or(usize::MAX);
            let Some(piece) = self.0.piece(most).await? else {
                return Err(LoadError::Wrong(format!("scp: ends at {offset} of {size}")));
            };
            if !stored.content.matches(offset, &piece) {
                return Err(LoadError::Wrong(format!("scp: wrong bytes at {offset}")));
            }
            offset += piece.len() as u64;
        }
        Ok(())
    }

    /// Closes the channel in the midst of it.
    pub(super) async fn abandon(self) -> Result<(), LoadError> {
        self.0.abandon().await
    }
}

/// Name and size of `<mode> <size> <name>`.
fn name_of(rest: &str) -> Result<(String, u64), LoadError> {
    let mut fields = rest.splitn(3, ' ');
    let mode = fields.next().filter(|mode| mode.len() == 4);
    let size = fields.next().and_then(|size| size.parse().ok());
    let name = fields.next().filter(|name| !name.is_empty());
    match (mode, size, name) {
        (Some(_), Some(size), Some(name)) => Ok((name.to_owned(), size)),
        _ => Err(LoadError::Wrong(format!("scp: record {rest:?}"))),
    }
}

fn find(expected: &[Entry], name: &str, size: u64) -> Result<Stored, LoadError> {
    let found = expected.iter().find_map(|entry| match entry {
        Entry::File(known, stored) if known == name => Some(*stored),
        Entry::File(..) | Entry::Enter(_) | Entry::Leave => None,
    });
    match found {
        Some(stored) if stored.size == size => Ok(stored),
        Some(stored) => Err(LoadError::Wrong(format!(
            "scp: {name} has {size} bytes, not {}",
            stored.size
        ))),
        None => Err(LoadError::Wrong(format!("scp: {name} was not asked for"))),
    }
}

fn nothing_more(rest: &[u8]) -> Result<(), LoadError> {
    if rest.is_empty() {
        return Ok(());
    }
    let rest = String::from_utf8_lossy(rest);
    Err(LoadError::Wrong(format!("scp: more than expected: {rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_spaces() {
        let (name, size) = name_of("0644 12 two words 3").unwrap();
        assert_eq!((name.as_str(), size), ("two words 3", 12));
        assert!(name_of("0644 12").is_err());
        assert!(name_of("0644 x y").is_err());
    }
}
