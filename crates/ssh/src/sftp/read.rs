//! One READ.

use bytes::Bytes;
use sftpgo_core::OpResult;
use sftpgo_wire::sftp::{DATA_HEADER_LEN, write_data_header};

use super::status;

/// A READ on its way.
#[derive(Clone, Copy)]
pub(super) struct ReadOp {
    pub(super) id: u32,
    pub(super) offset: u64,
    pub(super) len: usize,
}

impl ReadOp {
    /// Room for the answer's header and what is asked for.
    pub(super) fn buffer(self) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(DATA_HEADER_LEN + self.len);
        buffer.extend_from_slice(&[0; DATA_HEADER_LEN]);
        buffer
    }

    pub(super) fn reply(self, result: OpResult<Vec<u8>>) -> Bytes {
        match result {
            Ok(buffer) if buffer.len() <= DATA_HEADER_LEN => status::eof(self.id),
            Ok(mut buffer) => {
                let count = buffer.len() - DATA_HEADER_LEN;
                write_data_header(&mut buffer, self.id, count);
                Bytes::from(buffer)
            }
            Err(error) => status::failure(self.id, &error),
        }
    }
}
