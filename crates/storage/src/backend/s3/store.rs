//! [`ObjectStore`] for S3: one call of the library for each of its own.

use std::collections::HashMap;
use std::ops::Range;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, EncodingType, MetadataDirective, ObjectCannedAcl,
    StorageClass,
};
use bytes::Bytes;

use super::super::object::{
    Attributes, Condition, Content, CopyRequest, Limits, ListPage, ListRequest, Listed,
    ObjectError, ObjectErrorKind, ObjectInfo, ObjectResult, ObjectStore, PartTag, PutOptions,
    UploadRef, UploadsPage,
};
use super::document::upload_id;
use super::error::{classify, not_understood};
use super::key::{copy_source, decoded};
use super::settings::S3Settings;
use super::unfinished;
use crate::metadata::FileTime;

/// Of Amazon's; other stores take at least as much.
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
pub(super) struct S3Store {
    client: Client,
    bucket: String,
    identity: String,
    acl: Option<ObjectCannedAcl>,
    /// TLS keeps bytes what they are: hashing them once more for the signature would cost as much again.
    encrypted: bool,
}

impl S3Store {
    pub(super) fn new(client: Client, settings: &S3Settings) -> Self {
        let place = settings.endpoint.as_deref().unwrap_or(&settings.region);
        Self {
            client,
            bucket: settings.bucket.clone(),
            identity: format!("s3 {place} {}", settings.bucket),
            acl: settings.acl.as_deref().map(ObjectCannedAcl::from),
            encrypted: !place.starts_with("http://"),
        }
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn limits(&self) -> &Limits {
        &LIMITS
    }

    async fn check(&self) -> ObjectResult<()> {
        let call = self.client.head_bucket().bucket(&self.bucket);
        let done = call.send().await;
        done.map_err(|error| classify("look for the bucket", error))?;
        Ok(())
    }

    async fn head(&self, key: &str) -> ObjectResult<ObjectInfo> {
        let call = self.client.head_object().bucket(&self.bucket).key(key);
        let found = call.send().await;
        let found = found.map_err(|error| classify("look for an object", error))?;
        Ok(ObjectInfo {
            size: size_of(found.content_length())?,
            modified: time_of(found.last_modified()),
            etag: found.e_tag().unwrap_or_default().to_owned(),
            attributes: Attributes {
                metadata: found
                    .metadata()
                    .cloned()
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
                content_type: found.content_type().map(str::to_owned),
                content_encoding: found.content_encoding().map(str::to_owned),
                content_disposition: found.content_disposition().map(str::to_owned),
                content_language: found.content_language().map(str::to_owned),
                cache_control: found.cache_control().map(str::to_owned),
                // Left out for the usual one.
                storage_class: found.storage_class().map(|class| class.as_str().to_owned()),
            },
        })
    }

    async fn list(&self, request: &ListRequest) -> ObjectResult<ListPage> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(&request.prefix)
            .set_delimiter(request.by_folder.then(|| "/".to_owned()))
            .set_continuation_token(request.continuation.clone())
            .max_keys(i32::try_from(request.limit).unwrap_or(i32::MAX))
            // XML cannot say every character that a key may have.
            .encoding_type(EncodingType::Url);
        let found = call.send().await;
        let found = found.map_err(|error| classify("list objects", error))?;
        let is_encoded = found.encoding_type() == Some(&EncodingType::Url);
        let text = |key: &str| {
            if is_encoded {
                decoded(key)
            } else {
                Some(key.to_owned())
            }
        };
        let mut page = ListPage::default();
        for object in found.contents() {
            // One that is no text cannot be asked for.
            let Some(key) = object.key().and_then(text) else {
                continue;
            };
            page.objects.push(Listed {
                key,
                size: size_of(object.size())?,
                modified: time_of(object.last_modified()),
                etag: object.e_tag().unwrap_or_default().to_owned(),
                changed: None,
                storage_class: object
                    .storage_class()
                    .map(|class| class.as_str().to_owned()),
            });
        }
        let folders = found.common_prefixes().iter();
        page.folders = folders
            .filter_map(|folder| folder.prefix().and_then(text))
            .collect();
        if found.is_truncated() == Some(true) {
            page.continuation = found.next_continuation_token().map(str::to_owned);
        }
        Ok(page)
    }

    async fn get(&self, key: &str, etag: &str, range: Range<u64>) -> ObjectResult<Content> {
        let last = range.end.saturating_sub(1);
        let call = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .if_match(etag)
            .range(format!("bytes={}-{last}", range.start));
        let found = call.send().await;
        let mut found = found.map_err(|error| classify("read an object", error))?;
        let len = range.end.saturating_sub(range.start);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let mut content = Content::default();
        while let Some(piece) = found.body.next().await {
            let piece = piece.map_err(|error| {
                let context = "an object broke off while it was read";
                ObjectError::with_source(ObjectErrorKind::Unavailable, context, error)
            })?;
            if piece.len() > len.saturating_sub(content.len()) {
                // A store that does not know ranges would fill the memory.
                let context = "the store sent more of an object than it was asked for";
                return Err(ObjectError::new(ObjectErrorKind::Unsupported, context));
            }
            content.push(piece);
        }
        Ok(content)
    }

    async fn put(&self, key: &str, body: Bytes, options: &PutOptions) -> ObjectResult<()> {
        let attributes = &options.attributes;
        let call = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_length(length(&body))
            .body(ByteStream::from(body))
            .set_acl(self.acl.clone())
            .set_storage_class(class_of(attributes))
            .set_metadata(metadata_of(attributes))
            .set_content_type(attributes.content_type.clone())
            .set_if_none_match(unless_there(options.condition))
            .customize();
        let call = if self.encrypted {
            call.disable_payload_signing()
        } else {
            call
        };
        let done = call.send().await;
        done.map_err(|error| classify("write an object", error))?;
        Ok(())
    }

    async fn create_upload(&self, key: &str, options: &PutOptions) -> ObjectResult<UploadRef> {
        let attributes = &options.attributes;
        let call = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .set_acl(self.acl.clone())
            .set_storage_class(class_of(attributes))
            .set_metadata(metadata_of(attributes))
            .set_content_type(attributes.content_type.clone())
            .set_content_encoding(attributes.content_encoding.clone())
            .set_content_disposition(attributes.content_disposition.clone())
            .set_content_language(attributes.content_language.clone())
            .set_cache_control(attributes.cache_control.clone());
        let id = match call.send().await {
            Ok(begun) => begun.upload_id().map(str::to_owned),
            Err(error) => match not_understood(&error).map(upload_id) {
                Some(id) => id,
                None => return Err(classify("begin an upload in parts", error)),
            },
        };
        let Some(id) = id else {
            let context = "the store gave an upload no name";
            return Err(ObjectError::new(ObjectErrorKind::Internal, context));
        };
        Ok(UploadRef {
            key: key.to_owned(),
            id,
        })
    }

    async fn put_part(&self, to: &UploadRef, number: u32, body: Bytes) -> ObjectResult<PartTag> {
        let call = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(&to.key)
            .upload_id(&to.id)
            .part_number(part_number(number))
            .content_length(length(&body))
            .body(ByteStream::from(body))
            .customize();
        let call = if self.encrypted {
            call.disable_payload_signing()
        } else {
            call
        };
        let done = call.send().await;
        let done = done.map_err(|error| classify("write a part", error))?;
        part_tag(number, done.e_tag())
    }

    async fn copy_part(
        &self,
        to: &UploadRef,
        number: u32,
        (from, etag): (&str, &str),
        range: Range<u64>,
    ) -> ObjectResult<PartTag> {
        let last = range.end.saturating_sub(1);
        let call = self
            .client
            .upload_part_copy()
            .bucket(&self.bucket)
            .key(&to.key)
            .upload_id(&to.id)
            .part_number(part_number(number))
            .copy_source(copy_source(&self.bucket, from))
            .copy_source_if_match(etag)
            .copy_source_range(format!("bytes={}-{last}", range.start));
        let tag = match call.send().await {
            Ok(done) => done
                .copy_part_result()
                .and_then(|result| result.e_tag())
                .map(str::to_owned),
            Err(error) if not_understood(&error).is_some_and(<[u8]>::is_empty) => None,
            Err(error) => return Err(classify("copy a part", error)),
        };
        let Some(tag) = tag else {
            // It took the call for another one, a part without bytes.
            let context = "the store does not copy parts";
            return Err(ObjectError::new(ObjectErrorKind::Unsupported, context));
        };
        part_tag(number, Some(&tag))
    }

    async fn complete_upload(
        &self,
        to: &UploadRef,
        parts: &[PartTag],
        condition: Condition,
    ) -> ObjectResult<()> {
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part_number(part.number))
                .e_tag(&part.etag)
                .build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect()));
        let call = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&to.key)
            .upload_id(&to.id)
            .multipart_upload(parts.build())
            .set_if_none_match(unless_there(condition));
        let done = call.send().await;
        done.map_err(|error| classify("end an upload in parts", error))?;
        Ok(())
    }

    async fn abort_upload(&self, to: &UploadRef) -> ObjectResult<()> {
        let call = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(&to.key)
            .upload_id(&to.id);
        let done = call.send().await;
        done.map_err(|error| classify("give up an upload in parts", error))?;
        Ok(())
    }

    async fn list_uploads(
        &self,
        prefix: &str,
        continuation: Option<&str>,
    ) -> ObjectResult<UploadsPage> {
        unfinished::list(&self.client, &self.bucket, prefix, continuation).await
    }

    async fn last_part(&self, to: &UploadRef) -> ObjectResult<Option<FileTime>> {
        unfinished::last_part(&self.client, &self.bucket, to).await
    }

    async fn copy(&self, request: &CopyRequest) -> ObjectResult<()> {
        let attributes = &request.attributes;
        let mut call = self
            .client
            .copy_object()
            .bucket(&self.bucket)
            .key(&request.to)
            .copy_source(copy_source(&self.bucket, &request.from))
            .set_copy_source_if_match(request.etag.clone())
            // Neither is copied by itself.
            .set_acl(self.acl.clone())
            .set_storage_class(class_of(attributes));
        if request.replace {
            call = call
                .metadata_directive(MetadataDirective::Replace)
                .set_metadata(metadata_of(attributes))
                .set_content_type(attributes.content_type.clone())
                .set_content_encoding(attributes.content_encoding.clone())
                .set_content_disposition(attributes.content_disposition.clone())
                .set_content_language(attributes.content_language.clone())
                .set_cache_control(attributes.cache_control.clone());
        }
        let done = call.send().await;
        done.map_err(|error| classify("copy an object", error))?;
        Ok(())
    }

    async fn delete(&self, key: &str) -> ObjectResult<()> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key);
        let done = call.send().await;
        done.map_err(|error| classify("remove an object", error))?;
        Ok(())
    }
}

fn size_of(size: Option<i64>) -> ObjectResult<u64> {
    let size = size.and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| {
        let context = "the store tells no size";
        ObjectError::new(ObjectErrorKind::Internal, context)
    })
}

pub(super) fn time_of(time: Option<&DateTime>) -> FileTime {
    let time = time.map(|time| FileTime {
        seconds: time.secs(),
        nanos: time.subsec_nanos(),
    });
    time.unwrap_or_default()
}

fn class_of(attributes: &Attributes) -> Option<StorageClass> {
    attributes.storage_class.as_deref().map(StorageClass::from)
}

fn metadata_of(attributes: &Attributes) -> Option<HashMap<String, String>> {
    let metadata = &attributes.metadata;
    (!metadata.is_empty()).then(|| metadata.clone().into_iter().collect())
}

fn unless_there(condition: Condition) -> Option<String> {
    match condition {
        Condition::None => None,
        Condition::Absent => Some("*".to_owned()),
    }
}

/// Parts are at most [`LIMITS`] long.
fn length(body: &Bytes) -> i64 {
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}

fn part_number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn part_tag(number: u32, etag: Option<&str>) -> ObjectResult<PartTag> {
    let Some(etag) = etag else {
        let context = "the store gave a part no tag";
        return Err(ObjectError::new(ObjectErrorKind::Internal, context));
    };
    Ok(PartTag {
        number,
        etag: etag.to_owned(),
    })
}
