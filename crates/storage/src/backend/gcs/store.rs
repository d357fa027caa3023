//! [`ObjectStore`] for Google: one call of the interface for each of its own.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RANGE};
use http::{Method, StatusCode};
use reqsign_core::Context;

use super::super::object::{
    AppendRequest, Condition, Content, CopyRequest, KeyRule, Limits, ListPage, ListRequest,
    NextPart, ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult, ObjectStore, PartTag,
    PutOptions, UploadRef, Uploads, UploadsPage,
};
use super::super::rest::{Answer, Http};
use super::client::{Call, Client};
use super::copy::{append, copy};
use super::credential::signer;
use super::document::{Kept, LIST_FIELDS, OBJECT_FIELDS, Object, Objects};
use super::place::{ENDPOINT, Place, Url};
use super::related::Related;
use super::settings::GcsSettings;
use super::upload;
use crate::error::StorageResult;
use crate::metadata::FileTime;

/// <https://cloud.google.com/storage/quotas#objects>
const LIMITS: Limits = Limits {
    min_part: upload::GRAIN,
    // As much of a file as is kept in memory: a session has no bound of its own.
    max_part: 1 << 30,
    max_parts: u32::MAX,
    // A copy takes as many calls as it needs.
    max_copy: u64::MAX,
    copies_parts: false,
    max_key: 1024,
};

/// One bucket.
#[derive(Debug)]
pub(super) struct GcsStore {
    client: Client,
    place: Place,
    identity: String,
    acl: Option<String>,
}

impl GcsStore {
    /// With connections to the store, and what asks for credentials.
    ///
    /// # Errors
    /// `Internal` if the settings are none that can be used; names the one that is wrong, without its value.
    pub(super) fn new(http: Http, asking: Context, settings: &GcsSettings) -> StorageResult<Self> {
        let signer = signer(asking, &settings.credentials)?;
        let endpoint = settings.endpoint.as_deref().unwrap_or(ENDPOINT);
        Ok(Self {
            place: Place::new(endpoint, &settings.bucket, signer.is_some())?,
            client: Client::new(http, signer),
            identity: format!("gcs {endpoint} {}", settings.bucket),
            acl: settings.acl.clone(),
        })
    }

    /// Where new objects are sent, under a condition.
    fn upload_under(&self, condition: Condition) -> Url {
        let absent = match condition {
            Condition::None => None,
            // The generation of what is not there.
            Condition::Absent => Some("0"),
        };
        self.place
            .upload()
            .option("ifGenerationMatch", absent)
            .option("predefinedAcl", self.acl.as_deref())
    }

    async fn page(&self, context: &'static str, url: Url) -> ObjectResult<Objects> {
        self.client.ask(context, Call::new(Method::GET, &url)).await
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

    fn key_rule(&self) -> KeyRule {
        key_rule
    }

    /// By a listing of one object: it needs no right that is not needed anyway, as `storage.buckets.get` is.
    async fn check(&self) -> ObjectResult<()> {
        let url = self
            .place
            .objects()
            .with("maxResults", "1")
            .with("fields", "nextPageToken");
        self.page("look for the bucket", url).await?;
        Ok(())
    }

    async fn head(&self, key: &str) -> ObjectResult<ObjectInfo> {
        let url = self.place.object(key).with("fields", OBJECT_FIELDS);
        let call = Call::new(Method::GET, &url);
        let object: Object = self.client.ask("look for an object", call).await?;
        Ok(object.info())
    }

    async fn list(&self, request: &ListRequest) -> ObjectResult<ListPage> {
        let url = self
            .place
            .objects()
            .with("prefix", &request.prefix)
            .option("delimiter", request.by_folder.then_some("/"))
            .option("pageToken", request.continuation.as_deref())
            .with("maxResults", &request.limit.to_string())
            .with("fields", LIST_FIELDS);
        let page = self.page("list objects", url).await?;
        Ok(ListPage {
            objects: page.items.into_iter().map(Object::listed).collect(),
            folders: page.prefixes,
            continuation: page.next_page_token,
        })
    }

    async fn get(&self, key: &str, etag: &str, range: Range<u64>) -> ObjectResult<Content> {
        let url = self
            .place
            .object(key)
            .with("alt", "media")
            .with("ifGenerationMatch", etag);
        let last = range.end.saturating_sub(1);
        let call = Call::new(Method::GET, &url)
            // As it is stored: Google unpacks what was stored packed for those who do not say that they can, and has no ranges of
            // that.
            .header(ACCEPT_ENCODING, "gzip")
            .header(RANGE, &format!("bytes={}-{last}", range.start));
        let answer = self.client.send("read an object", call).await?;
        check_version(&answer, etag)?;
        if range.start > 0 && answer.status() != StatusCode::PARTIAL_CONTENT {
            let context =
                "the store sent an object from its start and not the range that it was asked for";
            return Err(ObjectError::new(ObjectErrorKind::Unsupported, context));
        }
        let len = range.end.saturating_sub(range.start);
        answer
            .object(usize::try_from(len).unwrap_or(usize::MAX))
            .await
    }

    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> ObjectResult<()> {
        let url = self
            .upload_under(options.condition)
            .with("uploadType", "multipart")
            .with("name", key)
            .with("fields", "generation");
        let related = Related::new(&Kept::new(&options.attributes), body)?;
        let call = Call::new(Method::POST, &url)
            .header(CONTENT_TYPE, &related.media_type)
            .body(related.body);
        self.client.tell("write an object", call).await
    }

    fn uploads(&self) -> Uploads {
        Uploads::InOrder
    }

    async fn create_upload(&self, key: &str, options: &PutOptions) -> ObjectResult<UploadRef> {
        let to = self.upload_under(options.condition);
        let kept = Kept::new(&options.attributes);
        let encrypted = self.place.is_encrypted();
        let begun = upload::begin(&self.client, to.with("name", key), &kept, encrypted).await?;
        Ok(UploadRef {
            key: key.to_owned(),
            id: begun,
        })
    }

    async fn put_part(&self, _to: &UploadRef, _number: u32, _body: Bytes) -> ObjectResult<PartTag> {
        Err(in_order())
    }

    async fn copy_part(
        &self,
        _to: &UploadRef,
        _number: u32,
        _from: (&str, &str),
        _range: Range<u64>,
    ) -> ObjectResult<PartTag> {
        Err(in_order())
    }

    async fn complete_upload(
        &self,
        _to: &UploadRef,
        _parts: &[PartTag],
        _condition: Condition,
    ) -> ObjectResult<()> {
        Err(in_order())
    }

    async fn put_next(&self, to: &UploadRef, part: &NextPart) -> ObjectResult<()> {
        upload::put_next(&self.client, to, part).await
    }

    async fn abort_upload(&self, to: &UploadRef) -> ObjectResult<()> {
        upload::abort(&self.client, to).await
    }

    /// Sessions cannot be listed: who has lost their address can do nothing, and Google ends them.
    async fn list_uploads(
        &self,
        _prefix: &str,
        _continuation: Option<&str>,
    ) -> ObjectResult<UploadsPage> {
        Err(not_listed())
    }

    async fn last_part(&self, _to: &UploadRef) -> ObjectResult<Option<FileTime>> {
        Err(not_listed())
    }

    async fn copy(&self, request: &CopyRequest) -> ObjectResult<()> {
        copy(&self.client, &self.place, self.acl.as_deref(), request).await
    }

    fn appends(&self) -> bool {
        true
    }

    async fn append(&self, request: &AppendRequest) -> ObjectResult<()> {
        append(&self.client, &self.place, self.acl.as_deref(), request).await
    }

    async fn delete(&self, key: &str) -> ObjectResult<()> {
        let call = Call::new(Method::DELETE, &self.place.object(key));
        match self.client.tell("remove an object", call).await {
            Err(error) if error.kind() == ObjectErrorKind::NotFound => Ok(()),
            deleted => deleted,
        }
    }
}

/// <https://cloud.google.com/storage/docs/objects#naming>; what else is forbidden there no path is.
fn key_rule(key: &str) -> Option<&'static str> {
    let reserved = key.starts_with(".well-known/acme-challenge/");
    reserved.then_some("Google keeps names below .well-known/acme-challenge for itself")
}

/// A store that knows no conditions may send another version than the one that was asked for.
fn check_version(answer: &Answer, etag: &str) -> ObjectResult<()> {
    match answer.header("x-goog-generation") {
        Some(sent) if sent != etag => {
            let context = "the object is another by now";
            Err(ObjectError::new(ObjectErrorKind::Precondition, context))
        }
        Some(_) | None => Ok(()),
    }
}

fn not_listed() -> ObjectError {
    let context = "the store does not tell what uploads there are";
    ObjectError::new(ObjectErrorKind::Unsupported, context)
}

fn in_order() -> ObjectError {
    let context = "the store takes parts of an upload in their order only";
    ObjectError::new(ObjectErrorKind::Unsupported, context)
}
