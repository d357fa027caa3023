//! A file that is continued where the store puts objects together and copies no parts: what is added is an object of its own
//! until the end, with a name that nobody sees, and then the store makes one of both.

use std::sync::Arc;

use bytes::Bytes;

use super::super::storage::{Inner, unsupported};
use super::super::store::{
    AppendRequest, Attributes, Condition, ObjectInfo, ObjectResult, PutOptions,
};
use crate::error::{StorageError, StorageErrorKind, StorageResult};
use crate::reserved::{BASE32HEX, ID_LEN, MARK, PREFIX, is_reserved};

/// What names of what is added end with.
const SUFFIX: &str = ".rest";

/// Whether an object of this name was made to continue a file.
pub(in crate::backend::object) fn is_rest(name: &str) -> bool {
    name.ends_with(SUFFIX) && is_reserved(name.as_bytes())
}

/// A file, and what is to be added to it. Dropped, it removes what was made for that.
#[derive(Debug)]
pub(super) struct Continued {
    inner: Arc<Inner>,
    key: String,
    base: ObjectInfo,
    rest: String,
    removed: bool,
}

impl Continued {
    /// Makes nothing yet.
    pub(super) fn new(inner: Arc<Inner>, key: &str, base: ObjectInfo) -> StorageResult<Self> {
        let folder = key.rfind('/').and_then(|slash| key.get(..=slash));
        let rest = format!("{}{}", folder.unwrap_or(""), hidden_name()?);
        if rest.len() > inner.calls.limits().max_key {
            return Err(unsupported(
                "this store cannot continue an object with so long a key",
            ));
        }
        Ok(Self {
            inner,
            key: key.to_owned(),
            base,
            rest,
            removed: false,
        })
    }

    /// The key of what is added.
    pub(super) fn rest(&self) -> &str {
        &self.rest
    }

    /// How it is made. Stores put objects of one class together.
    pub(super) fn options(&self) -> PutOptions {
        PutOptions {
            attributes: Attributes {
                storage_class: self.base.attributes.storage_class.clone(),
                ..Attributes::default()
            },
            condition: Condition::None,
        }
    }

    /// What the file has beside its bytes.
    pub(super) fn attributes(&self) -> Attributes {
        self.base.attributes.clone()
    }

    /// Makes all of what is added, by one call.
    pub(super) async fn put(&self, whole: Bytes) -> ObjectResult<()> {
        let (calls, rest, options) = (self.inner.calls.clone(), self.rest.clone(), self.options());
        let put = async move { calls.put(&rest, whole, &options).await };
        self.inner.engine.tasks.run(put).await
    }

    /// Makes one of both, if the file is what it was.
    pub(super) async fn join(&self, attributes: Attributes) -> ObjectResult<()> {
        let request = AppendRequest {
            key: self.key.clone(),
            etag: self.base.etag.clone(),
            rest: self.rest.clone(),
            attributes,
        };
        self.inner.calls.append(&request, self.base.size).await
    }

    /// Removes what was made. What fails is tried once more when this is dropped.
    pub(super) async fn remove(mut self) {
        self.removed = self.inner.calls.delete(&self.rest).await.is_ok();
    }
}

impl Drop for Continued {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        let (calls, rest) = (self.inner.calls.clone(), std::mem::take(&mut self.rest));
        // Nobody is left to be told, and without a runtime the process is at its end.
        let tasks = &self.inner.engine.tasks;
        drop(tasks.spawn(async move { calls.delete(&rest).await }));
    }
}

/// A name that no other upload has, and no client sees.
fn hidden_name() -> StorageResult<String> {
    let mut random = [0_u8; ID_LEN];
    aws_lc_rs::rand::fill(&mut random).map_err(|error| {
        let context = "there are no random numbers";
        StorageError::with_source(StorageErrorKind::Internal, context, error)
    })?;
    let letters = random.iter().skip(1).filter_map(|byte| {
        let letter = BASE32HEX.get(usize::from(byte % 32));
        letter.map(|letter| char::from(*letter))
    });
    let id: String = std::iter::once(char::from(MARK)).chain(letters).collect();
    Ok(format!("{}{id}{SUFFIX}", String::from_utf8_lossy(PREFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_has_a_name_that_nobody_sees() {
        let (one, other) = (hidden_name().unwrap(), hidden_name().unwrap());
        assert!(is_rest(&one), "{one}");
        assert!(!is_rest(".sftpgo-upload.v0000000000000000000.rename"));
        assert!(!is_rest("a.rest"));
        assert_ne!(one, other);
    }
}
