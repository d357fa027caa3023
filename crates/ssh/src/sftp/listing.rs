//! READDIR: pages of a listing as NAME packets.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use sftpgo_core::OpResult;
use sftpgo_wire::sftp::{MAX_NAME_ENTRIES, NameBuilder, NamePush};

use super::attributes::{LongNames, to_wire};
use super::handles::Directory;
use super::status;

/// The next answer of a directory: a NAME packet that every client can take, EOF at the end, or a failure.
pub(super) async fn next_reply(id: u32, directory: &mut Directory) -> Bytes {
    match fill(id, directory).await {
        Ok(Some(names)) => names,
        Ok(None) => status::eof(id),
        Err(error) => status::failure(id, &error),
    }
}

async fn fill(id: u32, directory: &mut Directory) -> OpResult<Option<Bytes>> {
    loop {
        if directory.left.is_empty() {
            directory.left = directory.listing.next_page(MAX_NAME_ENTRIES).await?.into();
            if directory.left.is_empty() {
                return Ok(None);
            }
        }
        let names = LongNames::new();
        let mut builder = NameBuilder::new(BytesMut::with_capacity(16 * 1024), id);
        push_all(&mut builder, &names, &mut directory.left);
        // A page of nothing but names too long for an answer has no answer; the next page may.
        if !builder.is_empty() {
            return Ok(Some(builder.finish().freeze()));
        }
    }
}

fn push_all(
    builder: &mut NameBuilder,
    names: &LongNames,
    entries: &mut VecDeque<sftpgo_core::Entry>,
) {
    while let Some(entry) = entries.front() {
        let attrs = to_wire(&entry.metadata);
        match builder.push_with(&entry.name, &attrs, |out| names.write(entry, out)) {
            NamePush::Added | NamePush::Oversize => {
                entries.pop_front();
            }
            NamePush::Full => return,
        }
    }
}
