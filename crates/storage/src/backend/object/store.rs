//! [`ObjectStore`]: the few calls that a store must answer, and what they say.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::content::Content;
use crate::error::{StorageError, StorageErrorKind};
use crate::metadata::FileTime;

/// Shorthand for results of calls to a store.
pub type ObjectResult<T> = Result<T, ObjectError>;

/// The kinds of failures that are told apart. A store finds them by codes, never by texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectErrorKind {
    /// No such key, or no such bucket.
    NotFound,
    /// The multipart upload is not there: ended already, or given up by somebody else.
    NoSuchUpload,
    /// The credentials are wrong or may not do this.
    PermissionDenied,
    /// The [`Condition`] of the call does not hold.
    Precondition,
    /// The store asks for fewer calls. May be repeated.
    Throttled,
    /// The store failed, or the connection broke. May be repeated.
    Unavailable,
    /// No answer in time. May be repeated.
    TimedOut,
    /// The store does not know the call, or an option of it.
    Unsupported,
    /// The store finds the call wrong, which is a defect or a wrong setting.
    InvalidRequest,
    /// The store has no room.
    Full,
    /// Anything else.
    Internal,
}

impl ObjectErrorKind {
    /// Whether the same call may work in a moment.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::TimedOut => true,
            Self::NotFound
            | Self::NoSuchUpload
            | Self::PermissionDenied
            | Self::Precondition
            | Self::Unsupported
            | Self::InvalidRequest
            | Self::Full
            | Self::Internal => false,
        }
    }
}

/// A call that failed: a kind to act on, a cause for the log.
#[derive(Debug)]
pub struct ObjectError {
    kind: ObjectErrorKind,
    context: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ObjectError {
    /// A failure without an underlying cause.
    pub fn new(kind: ObjectErrorKind, context: &'static str) -> Self {
        Self {
            kind,
            context,
            source: None,
        }
    }

    /// A failure with its cause, which must hold no secret.
    pub fn with_source(
        kind: ObjectErrorKind,
        context: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            context,
            source: Some(source.into()),
        }
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ObjectErrorKind {
        self.kind
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ObjectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// What a failed call means for the operation that made it.
pub(super) fn storage_kind(kind: ObjectErrorKind) -> StorageErrorKind {
    match kind {
        ObjectErrorKind::NotFound => StorageErrorKind::NotFound,
        ObjectErrorKind::PermissionDenied => StorageErrorKind::PermissionDenied,
        // Somebody else changed the object meanwhile, or the store is away: the same may work later.
        ObjectErrorKind::NoSuchUpload
        | ObjectErrorKind::Precondition
        | ObjectErrorKind::Throttled
        | ObjectErrorKind::Unavailable
        | ObjectErrorKind::TimedOut => StorageErrorKind::Unavailable,
        ObjectErrorKind::Unsupported => StorageErrorKind::Unsupported,
        ObjectErrorKind::Full => StorageErrorKind::StorageFull,
        ObjectErrorKind::InvalidRequest | ObjectErrorKind::Internal => StorageErrorKind::Internal,
    }
}

impl From<ObjectError> for StorageError {
    fn from(error: ObjectError) -> Self {
        Self::with_source(storage_kind(error.kind), "the object store", error)
    }
}

/// What a store can take. Sizes are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The smallest part of a multipart upload; the last may be smaller.
    pub min_part: u64,
    /// The largest part.
    pub max_part: u64,
    /// How many parts an object may have.
    pub max_parts: u32,
    /// The largest object that one call copies.
    pub max_copy: u64,
    /// Whether a part can be copied from an object that is there.
    pub copies_parts: bool,
    /// The longest key.
    pub max_key: usize,
}

/// What is kept with an object beside its bytes, and must not get lost when it is copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// The user's own values, names in lower case.
    pub metadata: BTreeMap<String, String>,
    /// Media type.
    pub content_type: Option<String>,
    /// How the bytes are encoded.
    pub content_encoding: Option<String>,
    /// How browsers are to present it.
    pub content_disposition: Option<String>,
    /// The language of the contents.
    pub content_language: Option<String>,
    /// How long it may be cached.
    pub cache_control: Option<String>,
    /// The storage class; `None` is the store's usual one.
    pub storage_class: Option<String>,
}

/// What is known of an object that was asked for by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Size in bytes.
    pub size: u64,
    /// When the store took it.
    pub modified: FileTime,
    /// Changes with the contents. As the store writes it.
    pub etag: String,
    /// What is kept with it.
    pub attributes: Attributes,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key, whole.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When the store took it.
    pub modified: FileTime,
    /// As in [`ObjectInfo`].
    pub etag: String,
    /// The time of the last change as it is kept with the object, from stores whose listings tell it.
    pub changed: Option<FileTime>,
    /// As in [`Attributes`].
    pub storage_class: Option<String>,
}

/// Which keys are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Keys that have a `/` behind the prefix are shown as one [`ListPage::folders`] entry up to it.
    pub by_folder: bool,
    /// Where the page before ended.
    pub continuation: Option<String>,
    /// At most so many keys and folders together.
    pub limit: u32,
}

/// One page of a listing. Keys and folders are each in the order of their bytes, in pages one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// The objects.
    pub objects: Vec<Listed>,
    /// Prefixes that end with `/`, whole.
    pub folders: Vec<String>,
    /// How to ask for the next page; `None` at the end.
    pub continuation: Option<String>,
}

/// What must hold for an object to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// The key is free. A store that cannot promise it answers [`ObjectErrorKind::Unsupported`].
    Absent,
}

/// How to make an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutOptions {
    /// What is kept with it.
    pub attributes: Attributes,
    /// What must hold; for an upload in parts when it is completed, where it is said again.
    pub condition: Condition,
}

/// How a store takes an object that is too long for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploads {
    /// In parts, in any order and side by side: [`ObjectStore::put_part`] for each, then [`ObjectStore::complete_upload`].
    InParts,
    /// As one stream: [`ObjectStore::put_next`] for each part in turn, the last one of which makes the object.
    InOrder,
}

/// A multipart upload that was begun.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadRef {
    /// The key that the object gets.
    pub key: String,
    /// The store's name for it. At some stores, whoever knows it may write to the object.
    pub id: String,
}

impl fmt::Debug for UploadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadRef")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The part of an upload that follows those before it.
#[derive(Clone, PartialEq, Eq)]
pub struct NextPart {
    /// Where it begins: where the one before it ended.
    pub offset: u64,
    /// Its bytes; none only for the last one.
    pub body: Bytes,
    /// Whether the object ends with it.
    pub last: bool,
    /// Whether it was sent before and nobody knows what the store has of it: the store is asked first.
    pub again: bool,
}

impl fmt::Debug for NextPart {
    /// What clients write is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextPart")
            .field("offset", &self.offset)
            .field("len", &self.body.len())
            .field("last", &self.last)
            .field("again", &self.again)
            .finish()
    }
}

/// A multipart upload that nobody has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// Which.
    pub to: UploadRef,
    /// When it was begun, by the store's clock.
    pub begun: FileTime,
}

/// Some of the multipart uploads that nobody has ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UploadsPage {
    /// In the order of their keys.
    pub uploads: Vec<OpenUpload>,
    /// How to ask for the next page; `None` at the end.
    pub continuation: Option<String>,
}

/// A part that the store has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTag {
    /// From 1, in the order of the bytes.
    pub number: u32,
    /// What the store called it.
    pub etag: String,
}

/// A copy within the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRequest {
    /// The key of the source.
    pub from: String,
    /// The source must be this version, if it is known.
    pub etag: Option<String>,
    /// The key of the copy; may be the source itself if `replace` is set.
    pub to: String,
    /// What the copy is to have. Only its storage class counts unless `replace` is set: the rest is copied.
    pub attributes: Attributes,
    /// Whether `attributes` take the place of the source's.
    pub replace: bool,
}

/// Two objects that become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRequest {
    /// The key of the first, and of both together.
    pub key: String,
    /// The first must be this version.
    pub etag: String,
    /// The key of the second, which stays.
    pub rest: String,
    /// What both together are to have.
    pub attributes: Attributes,
}

/// Says why a store cannot have a key as it is written, if that is so: it would refuse it, or take it for another one.
pub type KeyRule = fn(&str) -> Option<&'static str>;

/// A set of keys with bytes. Calls fail or are done whole; each is made once: repeating is the caller's.
#[async_trait]
pub trait ObjectStore: Send + Sync + fmt::Debug {
    /// Names the store and the bucket, in the logs and for telling two of them apart. No secret.
    fn identity(&self) -> &str;

    /// What it can take.
    fn limits(&self) -> &Limits;

    /// Which keys it cannot have, beside those that are too long.
    fn key_rule(&self) -> KeyRule {
        |_| None
    }

    /// Whether [`copy`](Self::copy) replaces the attributes of an object of any size where it is, without moving its bytes.
    fn replaces_in_place(&self) -> bool {
        false
    }

    /// Whether the bucket is there and may be used.
    async fn check(&self) -> ObjectResult<()>;

    /// What is known of one object.
    async fn head(&self, key: &str) -> ObjectResult<ObjectInfo>;

    /// One page of keys.
    async fn list(&self, request: &ListRequest) -> ObjectResult<ListPage>;

    /// The bytes of a range that lies within the object, all of them: fewer are a failure. `etag` is the version that is
    /// meant; another is `Precondition`.
    async fn get(&self, key: &str, etag: &str, range: Range<u64>) -> ObjectResult<Content>;

    /// Makes an object, or replaces it.
    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> ObjectResult<()>;

    /// How it takes what is too long for [`put`](Self::put).
    fn uploads(&self) -> Uploads {
        Uploads::InParts
    }

    /// Begins a multipart upload.
    async fn create_upload(&self, key: &str, options: &PutOptions) -> ObjectResult<UploadRef>;

    /// Sends a part; one of the same number is replaced.
    async fn put_part(&self, to: &UploadRef, number: u32, body: Bytes) -> ObjectResult<PartTag>;

    /// Makes a part from a range of an object; `etag` as in [`get`](Self::get).
    async fn copy_part(
        &self,
        to: &UploadRef,
        number: u32,
        from: (&str, &str),
        range: Range<u64>,
    ) -> ObjectResult<PartTag>;

    /// Makes the object of its parts, which are in order.
    async fn complete_upload(
        &self,
        to: &UploadRef,
        parts: &[PartTag],
        condition: Condition,
    ) -> ObjectResult<()>;

    /// Sends the next part of an upload, of as many bytes as [`Limits`] allow, and with the last one makes the object under
    /// the condition that the upload was begun with. Only where [`uploads`](Self::uploads) says so.
    async fn put_next(&self, _to: &UploadRef, _part: &NextPart) -> ObjectResult<()> {
        let context = "the store takes no parts in turn";
        Err(ObjectError::new(ObjectErrorKind::Unsupported, context))
    }

    /// Gives a multipart upload up; one that is not there is `NoSuchUpload`.
    async fn abort_upload(&self, to: &UploadRef) -> ObjectResult<()>;

    /// One page of the multipart uploads that nobody has ended and whose keys begin with `prefix`. `Unsupported` by stores
    /// whose uploads end by themselves.
    async fn list_uploads(
        &self,
        prefix: &str,
        continuation: Option<&str>,
    ) -> ObjectResult<UploadsPage>;

    /// When the latest part of a multipart upload came; `None` if it has none.
    async fn last_part(&self, to: &UploadRef) -> ObjectResult<Option<FileTime>>;

    /// Copies an object of at most [`Limits::max_copy`] bytes.
    async fn copy(&self, request: &CopyRequest) -> ObjectResult<()>;

    /// Whether it knows [`append`](Self::append).
    fn appends(&self) -> bool {
        false
    }

    /// Adds the bytes of one object to another, whatever their sizes; neither is seen in between.
    async fn append(&self, _request: &AppendRequest) -> ObjectResult<()> {
        let context = "the store makes no object of two";
        Err(ObjectError::new(ObjectErrorKind::Unsupported, context))
    }

    /// Removes an object; none being there is fine.
    async fn delete(&self, key: &str) -> ObjectResult<()>;
}
