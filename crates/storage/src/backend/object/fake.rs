//! A store in memory, with the rules of S3, that fails when it is told to: for tests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::ops::{Bound, Range};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use parking_lot::Mutex;

use super::content::Content;
use super::store::{
    AppendRequest, Attributes, Condition, CopyRequest, Limits, ListPage, ListRequest, Listed,
    NextPart, ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult, ObjectStore, OpenUpload,
    PartTag, PutOptions, UploadRef, Uploads, UploadsPage,
};
use crate::metadata::FileTime;

/// The calls of [`ObjectStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the calls")]
pub enum Call {
    Check,
    Head,
    List,
    Get,
    Put,
    CreateUpload,
    PutPart,
    PutNext,
    CopyPart,
    Append,
    CompleteUpload,
    AbortUpload,
    ListUploads,
    LastPart,
    Copy,
    Delete,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing is done.
    Refused(ObjectErrorKind),
    /// It is done, and the answer gets lost.
    AnswerLost,
    /// No answer ever comes, and nothing is done.
    Silence,
    /// Some of the bytes are missing, as if the connection broke.
    Truncated,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Bytes,
    modified: FileTime,
    etag: String,
    attributes: Attributes,
}

#[derive(Debug, Default)]
struct Upload {
    key: String,
    options: PutOptions,
    parts: BTreeMap<u32, Bytes>,
    /// What came of it in order.
    stream: Vec<u8>,
    begun: FileTime,
    last_part: Option<FileTime>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    /// Those that became an object with their last part.
    ended: BTreeSet<String>,
    ticks: i64,
    made: BTreeMap<Call, u64>,
    faults: BTreeMap<Call, VecDeque<Option<Fault>>>,
}

/// Keys and bytes in memory.
#[derive(Debug)]
pub struct FakeStore {
    limits: Limits,
    conditional: bool,
    uploads: Uploads,
    state: Mutex<State>,
}

impl Default for FakeStore {
    fn default() -> Self {
        Self::new(Limits {
            min_part: 5,
            max_part: 1 << 20,
            max_parts: 10_000,
            max_copy: 100,
            copies_parts: true,
            max_key: 1024,
        })
    }
}

impl FakeStore {
    /// An empty store that takes no more than that.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            conditional: true,
            uploads: Uploads::InParts,
            state: Mutex::default(),
        }
    }

    /// The same without conditions.
    #[must_use]
    pub fn without_conditions(self) -> Self {
        Self {
            conditional: false,
            ..self
        }
    }

    /// The same, taking the parts of an upload in their order only, with a grain of five bytes; copying none, but making one
    /// object of two.
    #[must_use]
    pub fn in_order(self) -> Self {
        let limits = Limits {
            copies_parts: false,
            max_parts: u32::MAX,
            ..self.limits
        };
        Self {
            uploads: Uploads::InOrder,
            limits,
            ..self
        }
    }

    /// The next calls of this kind meet these faults, `None` being none; then all is well again.
    pub fn fail(&self, call: Call, faults: impl IntoIterator<Item = Option<Fault>>) {
        let mut state = self.state.lock();
        state.faults.entry(call).or_default().extend(faults);
    }

    /// How often a call was made.
    pub fn made(&self, call: Call) -> u64 {
        self.state.lock().made.get(&call).copied().unwrap_or(0)
    }

    /// How often any call was made.
    pub fn made_in_all(&self) -> u64 {
        self.state.lock().made.values().sum()
    }

    /// Every key.
    pub fn keys(&self) -> Vec<String> {
        self.state.lock().objects.keys().cloned().collect()
    }

    /// The bytes of an object, as somebody else sees them.
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        let state = self.state.lock();
        state.objects.get(key).map(|object| object.bytes.clone())
    }

    /// What is kept with an object.
    pub fn attributes(&self, key: &str) -> Option<Attributes> {
        let state = self.state.lock();
        state
            .objects
            .get(key)
            .map(|object| object.attributes.clone())
    }

    /// Makes an object, as somebody else does.
    pub fn insert(&self, key: &str, bytes: impl Into<Bytes>, attributes: Attributes) {
        self.state.lock().make(key, bytes.into(), "", attributes);
    }

    /// Removes an object, as somebody else does.
    pub fn remove(&self, key: &str) {
        self.state.lock().objects.remove(key);
    }

    /// Multipart uploads that were neither completed nor given up.
    pub fn open_uploads(&self) -> usize {
        self.state.lock().uploads.len()
    }

    /// A multipart upload that somebody began and left, so many seconds ago, with its last part as long ago as that says.
    pub fn leave_upload(&self, key: &str, begun: i64, last_part: Option<i64>) -> String {
        let mut state = self.state.lock();
        state.ticks = state.ticks.saturating_add(1);
        let id = format!("left-{}", state.ticks);
        let ago = |seconds: i64| FileTime {
            seconds: now().seconds.saturating_sub(seconds),
            nanos: 0,
        };
        let upload = Upload {
            key: key.to_owned(),
            begun: ago(begun),
            last_part: last_part.map(ago),
            ..Upload::default()
        };
        state.uploads.insert(id.clone(), upload);
        id
    }

    /// The names of multipart uploads that were neither completed nor given up.
    pub fn upload_ids(&self) -> Vec<String> {
        self.state.lock().uploads.keys().cloned().collect()
    }

    /// Counts the call and meets its fault; `Err` if it is over with that.
    async fn enter(&self, call: Call) -> ObjectResult<Option<Fault>> {
        let fault = {
            let mut state = self.state.lock();
            let made = state.made.entry(call).or_default();
            *made = made.saturating_add(1);
            let faults = state.faults.get_mut(&call);
            faults.and_then(VecDeque::pop_front).flatten()
        };
        // Others run meanwhile, as they do while a real store is asked.
        tokio::task::yield_now().await;
        match fault {
            Some(Fault::Refused(kind)) => Err(ObjectError::new(kind, "a fault of the test")),
            Some(Fault::Silence) => pending().await,
            fault @ (Some(Fault::AnswerLost | Fault::Truncated) | None) => Ok(fault),
        }
    }
}

fn leave<T>(fault: Option<Fault>, done: T) -> ObjectResult<T> {
    match fault {
        Some(Fault::AnswerLost) => Err(ObjectError::new(
            ObjectErrorKind::Unavailable,
            "the answer got lost",
        )),
        Some(Fault::Refused(_) | Fault::Silence | Fault::Truncated) | None => Ok(done),
    }
}

fn now() -> FileTime {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    FileTime {
        seconds: now.map_or(0, |now| now.as_secs().cast_signed()),
        nanos: 0,
    }
}

fn etag_of(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let start = digest.as_ref().iter().take(8);
    start.map(|byte| format!("{byte:02x}")).collect()
}

fn fault(kind: ObjectErrorKind, context: &'static str) -> ObjectError {
    ObjectError::new(kind, context)
}

impl State {
    fn make(&mut self, key: &str, bytes: Bytes, suffix: &str, attributes: Attributes) {
        self.ticks = self.ticks.saturating_add(1);
        let object = Object {
            etag: format!("\"{}{suffix}\"", etag_of(&bytes)),
            bytes,
            modified: FileTime {
                seconds: 1_700_000_000_i64.saturating_add(self.ticks),
                nanos: 0,
            },
            attributes,
        };
        self.objects.insert(key.to_owned(), object);
    }

    fn find(&self, key: &str, etag: Option<&str>) -> ObjectResult<Object> {
        let object = self.objects.get(key);
        let object = object.ok_or_else(|| fault(ObjectErrorKind::NotFound, "no such key"))?;
        if etag.is_some_and(|etag| etag != object.etag) {
            return Err(fault(ObjectErrorKind::Precondition, "another version"));
        }
        Ok(object.clone())
    }

    fn check(&self, key: &str, condition: Condition, conditional: bool) -> ObjectResult<()> {
        match condition {
            Condition::None => Ok(()),
            Condition::Absent if !conditional => {
                Err(fault(ObjectErrorKind::Unsupported, "no conditions"))
            }
            Condition::Absent if self.objects.contains_key(key) => {
                Err(fault(ObjectErrorKind::Precondition, "the key is taken"))
            }
            Condition::Absent => Ok(()),
        }
    }

    fn upload(&mut self, to: &UploadRef) -> ObjectResult<&mut Upload> {
        let upload = self.uploads.get_mut(&to.id);
        let upload = upload.filter(|upload| upload.key == to.key);
        upload.ok_or_else(|| fault(ObjectErrorKind::NoSuchUpload, "no such upload"))
    }

    /// Takes a part in its turn. Of one that is truncated the first bytes are taken, and the client is not told how many.
    fn take(
        &mut self,
        to: &UploadRef,
        part: &NextPart,
        met: Option<Fault>,
        conditional: bool,
    ) -> ObjectResult<()> {
        if part.again && self.ended.contains(&to.id) {
            return Ok(());
        }
        let len = part.body.len();
        if !part.last && (len == 0 || !len.is_multiple_of(5)) {
            return Err(fault(ObjectErrorKind::InvalidRequest, "an uneven part"));
        }
        let upload = self.upload(to)?;
        let begin = usize::try_from(part.offset).unwrap_or(usize::MAX);
        let have = upload.stream.len().checked_sub(begin);
        let have = have.filter(|have| *have == 0 || part.again);
        let rest = have.and_then(|have| part.body.get(have..));
        let rest = rest.ok_or_else(|| fault(ObjectErrorKind::InvalidRequest, "out of turn"))?;
        if met == Some(Fault::Truncated) {
            let some = rest.get(..rest.len() / 2).unwrap_or(rest);
            upload.stream.extend_from_slice(some);
            return Err(fault(ObjectErrorKind::Unavailable, "it broke off"));
        }
        upload.stream.extend_from_slice(rest);
        if !part.last {
            return Ok(());
        }
        let (bytes, options) = (upload.stream.clone(), upload.options.clone());
        self.check(&to.key, options.condition, conditional)?;
        self.uploads.remove(&to.id);
        self.ended.insert(to.id.clone());
        self.make(&to.key, bytes.into(), "-stream", options.attributes);
        Ok(())
    }

    fn page(&self, request: &ListRequest) -> ListPage {
        let mut page = ListPage::default();
        let from = match &request.continuation {
            Some(after) => Bound::Excluded(after.clone()),
            None => Bound::Included(request.prefix.clone()),
        };
        let mut last = request.continuation.clone();
        for (key, object) in self.objects.range((from, Bound::Unbounded)) {
            let Some(rest) = key.strip_prefix(&request.prefix) else {
                break;
            };
            let folder = rest.split_once('/').filter(|_| request.by_folder);
            let shown = match folder {
                Some((name, _)) => format!("{}{name}/", request.prefix),
                None => key.clone(),
            };
            // The rest of a folder that was shown.
            if last.as_ref().is_some_and(|last| *last == shown) {
                continue;
            }
            if page.objects.len() + page.folders.len() >= request.limit as usize {
                page.continuation = last;
                return page;
            }
            if folder.is_some() {
                page.folders.push(shown.clone());
            } else {
                page.objects.push(Listed {
                    key: key.clone(),
                    size: object.bytes.len() as u64,
                    modified: object.modified,
                    etag: object.etag.clone(),
                    changed: None,
                    storage_class: object.attributes.storage_class.clone(),
                });
            }
            last = Some(shown);
        }
        page
    }
}

fn cut(bytes: &Bytes, range: Range<u64>) -> ObjectResult<Bytes> {
    let range = usize::try_from(range.start)
        .ok()
        .zip(usize::try_from(range.end).ok());
    let range = range.filter(|(start, end)| start <= end && *end <= bytes.len());
    let (start, end) =
        range.ok_or_else(|| fault(ObjectErrorKind::InvalidRequest, "no such range"))?;
    Ok(bytes.slice(start..end))
}

#[async_trait]
impl ObjectStore for FakeStore {
    fn identity(&self) -> &str {
        "fake"
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn uploads(&self) -> Uploads {
        self.uploads
    }

    async fn check(&self) -> ObjectResult<()> {
        let fault = self.enter(Call::Check).await?;
        leave(fault, ())
    }

    async fn head(&self, key: &str) -> ObjectResult<ObjectInfo> {
        let fault = self.enter(Call::Head).await?;
        let object = self.state.lock().find(key, None)?;
        let info = ObjectInfo {
            size: object.bytes.len() as u64,
            modified: object.modified,
            etag: object.etag,
            attributes: object.attributes,
        };
        leave(fault, info)
    }

    async fn list(&self, request: &ListRequest) -> ObjectResult<ListPage> {
        let fault = self.enter(Call::List).await?;
        let page = self.state.lock().page(request);
        leave(fault, page)
    }

    async fn get(&self, key: &str, etag: &str, range: Range<u64>) -> ObjectResult<Content> {
        let fault = self.enter(Call::Get).await?;
        let object = self.state.lock().find(key, Some(etag))?;
        let bytes = cut(&object.bytes, range)?;
        if fault == Some(Fault::Truncated) {
            return Ok(bytes.slice(..bytes.len() / 2).into());
        }
        leave(fault, bytes.into())
    }

    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> ObjectResult<()> {
        let fault = self.enter(Call::Put).await?;
        {
            let mut state = self.state.lock();
            state.check(key, options.condition, self.conditional)?;
            // What a client keeps of the buffers of a server would never be given back.
            let body = Bytes::copy_from_slice(&body);
            state.make(key, body, "", options.attributes.clone());
        }
        leave(fault, ())
    }

    async fn create_upload(&self, key: &str, options: &PutOptions) -> ObjectResult<UploadRef> {
        let fault = self.enter(Call::CreateUpload).await?;
        let to = {
            let mut state = self.state.lock();
            state.ticks = state.ticks.saturating_add(1);
            let id = format!("upload-{}", state.ticks);
            let upload = Upload {
                key: key.to_owned(),
                options: options.clone(),
                parts: BTreeMap::new(),
                stream: Vec::new(),
                begun: now(),
                last_part: None,
            };
            state.uploads.insert(id.clone(), upload);
            UploadRef {
                key: key.to_owned(),
                id,
            }
        };
        leave(fault, to)
    }

    async fn put_part(&self, to: &UploadRef, number: u32, body: Bytes) -> ObjectResult<PartTag> {
        let fault = self.enter(Call::PutPart).await?;
        let etag = etag_of(&body);
        {
            let mut state = self.state.lock();
            let body = Bytes::copy_from_slice(&body);
            let upload = state.upload(to)?;
            upload.parts.insert(number, body);
            upload.last_part = Some(now());
        }
        leave(fault, PartTag { number, etag })
    }

    async fn copy_part(
        &self,
        to: &UploadRef,
        number: u32,
        from: (&str, &str),
        range: Range<u64>,
    ) -> ObjectResult<PartTag> {
        let fault = self.enter(Call::CopyPart).await?;
        let etag = {
            let mut state = self.state.lock();
            let object = state.find(from.0, Some(from.1))?;
            let bytes = cut(&object.bytes, range)?;
            let etag = etag_of(&bytes);
            state.upload(to)?.parts.insert(number, bytes);
            etag
        };
        leave(fault, PartTag { number, etag })
    }

    async fn complete_upload(
        &self,
        to: &UploadRef,
        parts: &[PartTag],
        condition: Condition,
    ) -> ObjectResult<()> {
        let met = self.enter(Call::CompleteUpload).await?;
        {
            let mut state = self.state.lock();
            state.check(&to.key, condition, self.conditional)?;
            let upload = state.upload(to)?;
            let mut whole = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let bytes = upload.parts.get(&part.number);
                let bytes = bytes.filter(|bytes| etag_of(bytes) == part.etag);
                let bytes =
                    bytes.ok_or_else(|| fault(ObjectErrorKind::InvalidRequest, "no such part"))?;
                let small = (bytes.len() as u64) < self.limits.min_part;
                if small && index.saturating_add(1) < parts.len() {
                    return Err(fault(ObjectErrorKind::InvalidRequest, "a small part"));
                }
                whole.extend_from_slice(bytes);
            }
            let attributes = upload.options.attributes.clone();
            let suffix = format!("-{}", parts.len());
            state.uploads.remove(&to.id);
            state.make(&to.key, whole.into(), &suffix, attributes);
        }
        leave(met, ())
    }

    async fn put_next(&self, to: &UploadRef, part: &NextPart) -> ObjectResult<()> {
        let met = self.enter(Call::PutNext).await?;
        self.state.lock().take(to, part, met, self.conditional)?;
        leave(met, ())
    }

    async fn abort_upload(&self, to: &UploadRef) -> ObjectResult<()> {
        let fault = self.enter(Call::AbortUpload).await?;
        {
            let mut state = self.state.lock();
            state.upload(to)?;
            state.uploads.remove(&to.id);
        }
        leave(fault, ())
    }

    async fn list_uploads(
        &self,
        prefix: &str,
        continuation: Option<&str>,
    ) -> ObjectResult<UploadsPage> {
        let fault = self.enter(Call::ListUploads).await?;
        let page = {
            let state = self.state.lock();
            // One at a time.
            let mut uploads = state.uploads.iter().filter(|(id, upload)| {
                upload.key.starts_with(prefix)
                    && continuation.is_none_or(|after| id.as_str() > after)
            });
            let next = uploads.next();
            UploadsPage {
                continuation: next
                    .filter(|_| uploads.next().is_some())
                    .map(|(id, _)| id.clone()),
                uploads: next
                    .map(|(id, upload)| OpenUpload {
                        to: UploadRef {
                            key: upload.key.clone(),
                            id: id.clone(),
                        },
                        begun: upload.begun,
                    })
                    .into_iter()
                    .collect(),
            }
        };
        leave(fault, page)
    }

    async fn last_part(&self, to: &UploadRef) -> ObjectResult<Option<FileTime>> {
        let fault = self.enter(Call::LastPart).await?;
        let last = self.state.lock().upload(to)?.last_part;
        leave(fault, last)
    }

    async fn copy(&self, request: &CopyRequest) -> ObjectResult<()> {
        let met = self.enter(Call::Copy).await?;
        {
            let mut state = self.state.lock();
            let object = state.find(&request.from, request.etag.as_deref())?;
            if object.bytes.len() as u64 > self.limits.max_copy {
                return Err(fault(ObjectErrorKind::InvalidRequest, "too large to copy"));
            }
            if request.from == request.to && !request.replace {
                return Err(fault(ObjectErrorKind::InvalidRequest, "a copy onto itself"));
            }
            let attributes = if request.replace {
                request.attributes.clone()
            } else {
                Attributes {
                    storage_class: request.attributes.storage_class.clone(),
                    ..object.attributes
                }
            };
            state.make(&request.to, object.bytes, "", attributes);
        }
        leave(met, ())
    }

    fn appends(&self) -> bool {
        self.uploads == Uploads::InOrder
    }

    async fn append(&self, request: &AppendRequest) -> ObjectResult<()> {
        let met = self.enter(Call::Append).await?;
        {
            let mut state = self.state.lock();
            let first = state.find(&request.key, Some(&request.etag))?;
            let rest = state.find(&request.rest, None)?;
            let bytes = [first.bytes, rest.bytes].concat();
            let attributes = request.attributes.clone();
            state.make(&request.key, bytes.into(), "-joined", attributes);
        }
        leave(met, ())
    }

    async fn delete(&self, key: &str) -> ObjectResult<()> {
        let fault = self.enter(Call::Delete).await?;
        self.state.lock().objects.remove(key);
        leave(fault, ())
    }
}
