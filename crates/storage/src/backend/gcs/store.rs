//! [`ObjectStore`] for Google: one call of the protocol for each of its own.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::super::object::{
    Condition, Content, CopyRequest, Limits, ListPage, ListRequest, ObjectError, ObjectErrorKind,
    ObjectInfo, ObjectResult, ObjectStore, PartTag, PutOptions, UploadRef, UploadsPage,
};
use super::super::rest::Http;
use super::settings::GcsSettings;
use crate::error::StorageResult;
use crate::metadata::FileTime;

const LIMITS: Limits = Limits {
    min_part: 5 << 20,
    max_part: 5 << 30,
    max_parts: 10_000,
    max_copy: 5 << 30,
    copies_parts: true,
    max_key: 1024,
};

/// One bucket.
#[derive(Debug)]
pub(super) struct GcsStore {
    #[expect(dead_code, reason = "skeleton")]
    http: Http,
    identity: String,
}

fn skeleton() -> ObjectError {
    ObjectError::new(ObjectErrorKind::Unsupported, "not written yet")
}

impl GcsStore {
    pub(super) fn new(http: Http, settings: &GcsSettings) -> StorageResult<Self> {
        let identity = format!("{settings:?}");
        Ok(Self { http, identity })
    }
}

#[async_trait]
impl ObjectStore for GcsStore {
    fn identity(&self) -> &str {
        &self.identity
    }
    fn limits(&self) -> &Limits {
        &LIMITS
    }
    async fn check(&self) -> ObjectResult<()> {
        Err(skeleton())
    }
    async fn head(&self, _: &str) -> ObjectResult<ObjectInfo> {
        Err(skeleton())
    }
    async fn list(&self, _: &ListRequest) -> ObjectResult<ListPage> {
        Err(skeleton())
    }
    async fn get(&self, _: &str, _: &str, _: Range<u64>) -> ObjectResult<Content> {
        Err(skeleton())
    }
    async fn put(&self, _: &str, _: Bytes, _: &PutOptions) -> ObjectResult<()> {
        Err(skeleton())
    }
    async fn create_upload(&self, _: &str, _: &PutOptions) -> ObjectResult<UploadRef> {
        Err(skeleton())
    }
    async fn put_part(&self, _: &UploadRef, _: u32, _: Bytes) -> ObjectResult<PartTag> {
        Err(skeleton())
    }
    async fn copy_part(
        &self,
        _: &UploadRef,
        _: u32,
        _: (&str, &str),
        _: Range<u64>,
    ) -> ObjectResult<PartTag> {
        Err(skeleton())
    }
    async fn complete_upload(
        &self,
        _: &UploadRef,
        _: &[PartTag],
        _: Condition,
    ) -> ObjectResult<()> {
        Err(skeleton())
    }
    async fn abort_upload(&self, _: &UploadRef) -> ObjectResult<()> {
        Err(skeleton())
    }
    async fn list_uploads(&self, _: &str, _: Option<&str>) -> ObjectResult<UploadsPage> {
        Err(skeleton())
    }
    async fn last_part(&self, _: &UploadRef) -> ObjectResult<Option<FileTime>> {
        Err(skeleton())
    }
    async fn copy(&self, _: &CopyRequest) -> ObjectResult<()> {
        Err(skeleton())
    }
    async fn delete(&self, _: &str) -> ObjectResult<()> {
        Err(skeleton())
    }
}
