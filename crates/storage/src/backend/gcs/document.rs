//! The documents of the interface, as far as we read and write them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::super::object::{Attributes, Listed, MTIME, ObjectInfo, parse_mtime};
use crate::metadata::FileTime;

/// What is asked for of an object: [`Object`].
pub(super) const OBJECT_FIELDS: &str = "name,size,generation,metageneration,timeCreated,contentType,contentEncoding,\
     contentDisposition,contentLanguage,cacheControl,customTime,storageClass,metadata";
/// What is asked for of a listing: [`Objects`].
pub(super) const LIST_FIELDS: &str =
    "nextPageToken,prefixes,items(name,size,generation,timeCreated,storageClass,metadata)";

/// <https://cloud.google.com/storage/docs/json_api/v1/objects#resource>
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) name: String,
    #[serde(deserialize_with = "number")]
    pub(super) size: u64,
    #[serde(deserialize_with = "number")]
    pub(super) generation: u64,
    /// Changes with what is kept with the object.
    #[serde(default, deserialize_with = "number")]
    pub(super) metageneration: u64,
    /// When this content came; not when its metadata were changed.
    time_created: Option<String>,
    #[serde(flatten)]
    pub(super) kept: Kept,
}

/// What is kept with an object, and may be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<String>,
    /// Of rules about the life of objects. Not ours, and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storage_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<String, String>>,
}

/// Changes of an object: what is `None` is removed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Patch {
    content_type: Option<String>,
    content_encoding: Option<String>,
    content_disposition: Option<String>,
    content_language: Option<String>,
    cache_control: Option<String>,
    metadata: BTreeMap<String, Option<String>>,
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/list>
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Objects {
    pub(super) items: Vec<Object>,
    pub(super) prefixes: Vec<String>,
    pub(super) next_page_token: Option<String>,
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rewritten {
    pub(super) done: bool,
    pub(super) rewrite_token: Option<String>,
}

/// <https://cloud.google.com/storage/docs/json_api/v1/objects/compose>
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Composition {
    source_objects: Vec<Source>,
    destination: Kept,
}

/// An object that becomes part of another.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_preconditions: Option<Preconditions>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preconditions {
    if_generation_match: String,
}

impl Composition {
    /// Of these objects, each of a version if one is meant.
    pub(super) fn new<'a>(
        sources: impl IntoIterator<Item = (&'a String, Option<&'a String>)>,
        destination: Kept,
    ) -> Self {
        let sources = sources.into_iter().map(|(name, version)| Source {
            name: name.clone(),
            object_preconditions: version.map(|version| Preconditions {
                if_generation_match: version.clone(),
            }),
        });
        Self {
            source_objects: sources.collect(),
            destination,
        }
    }
}

impl Object {
    /// The version, as it is named in conditions.
    pub(super) fn version(&self) -> String {
        self.generation.to_string()
    }

    pub(super) fn info(self) -> ObjectInfo {
        ObjectInfo {
            size: self.size,
            modified: time_of(self.time_created.as_deref()),
            etag: self.version(),
            attributes: self.kept.into_attributes(),
        }
    }

    pub(super) fn listed(self) -> Listed {
        let set = self.kept.metadata.as_ref().and_then(|kept| kept.get(MTIME));
        Listed {
            changed: set.and_then(|text| parse_mtime(text)),
            size: self.size,
            modified: time_of(self.time_created.as_deref()),
            etag: self.version(),
            storage_class: self.kept.storage_class,
            key: self.name,
        }
    }
}

impl Kept {
    /// What a new object is to have.
    pub(super) fn new(attributes: &Attributes) -> Self {
        Self::default().replaced(attributes)
    }

    /// The same with other attributes. The storage class stays if none is given.
    pub(super) fn replaced(self, attributes: &Attributes) -> Self {
        let Attributes {
            metadata,
            content_type,
            content_encoding,
            content_disposition,
            content_language,
            cache_control,
            storage_class,
        } = attributes.clone();
        Self {
            content_type,
            content_encoding,
            content_disposition,
            content_language,
            cache_control,
            custom_time: self.custom_time,
            storage_class: storage_class.or(self.storage_class),
            metadata: (!metadata.is_empty()).then_some(metadata),
        }
    }

    /// The same in another storage class, if one is given.
    pub(super) fn in_class(self, class: Option<&str>) -> Self {
        Self {
            storage_class: class.map(str::to_owned).or(self.storage_class),
            ..self
        }
    }

    /// What makes these attributes of what is there.
    pub(super) fn patch(&self, attributes: &Attributes) -> Patch {
        let there = self.metadata.iter().flatten();
        let mut metadata: BTreeMap<_, _> = there.map(|(name, _)| (name.clone(), None)).collect();
        let wanted = attributes.metadata.iter();
        metadata.extend(wanted.map(|(name, value)| (name.clone(), Some(value.clone()))));
        Patch {
            content_type: attributes.content_type.clone(),
            content_encoding: attributes.content_encoding.clone(),
            content_disposition: attributes.content_disposition.clone(),
            content_language: attributes.content_language.clone(),
            cache_control: attributes.cache_control.clone(),
            metadata,
        }
    }

    fn into_attributes(self) -> Attributes {
        Attributes {
            metadata: self.metadata.unwrap_or_default(),
            content_type: self.content_type,
            content_encoding: self.content_encoding,
            content_disposition: self.content_disposition,
            content_language: self.content_language,
            cache_control: self.cache_control,
            storage_class: self.storage_class,
        }
    }
}

/// A time that is none is not worth an object that cannot be used.
fn time_of(text: Option<&str>) -> FileTime {
    let time: Option<Timestamp> = text.and_then(|text| text.parse().ok());
    let Some(time) = time else {
        return FileTime::default();
    };
    // Both count from 1970 on; what is before counts back from the second behind it.
    let nanos = time.as_nanosecond();
    FileTime {
        seconds: i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or_default(),
        nanos: u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or_default(),
    }
}

/// A number of 64 bits is a string in JSON, but not every store knows.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Text(String),
        Number(u64),
    }
    match Number::deserialize(from)? {
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
        Number::Number(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{
        "name": "a/b", "size": "7", "generation": "1700000000000001", "metageneration": "2",
        "timeCreated": "2026-01-02T03:04:05.678Z", "updated": "2026-02-02T03:04:05.678Z",
        "contentType": "text/plain", "customTime": "2026-01-01T00:00:00Z", "storageClass": "NEARLINE",
        "metadata": {"mtime": "1", "Other": "2"}
    }"#;

    fn object() -> Object {
        serde_json::from_str(OBJECT).unwrap()
    }

    #[test]
    fn an_object_is_known_by_its_generation_and_when_it_came() {
        let info = object().info();
        assert_eq!((info.size, info.etag.as_str()), (7, "1700000000000001"));
        assert_eq!(info.modified.seconds, 1_767_323_045);
        assert_eq!(info.modified.nanos, 678_000_000);
        assert_eq!(info.attributes.metadata["mtime"], "1");
        assert_eq!(info.attributes.storage_class.as_deref(), Some("NEARLINE"));
        let listed = object().listed();
        assert_eq!((listed.etag, listed.modified), (info.etag, info.modified));
        assert_eq!(listed.changed.unwrap().seconds, 1);
    }

    #[test]
    fn a_copy_keeps_what_we_do_not_know_of() {
        let copy = object().kept.in_class(None);
        assert_eq!(copy, object().kept);
        let copy = serde_json::to_value(copy.in_class(Some("STANDARD"))).unwrap();
        assert_eq!(copy["customTime"], "2026-01-01T00:00:00Z");
        assert_eq!(copy["metadata"]["Other"], "2");
        assert_eq!(copy["storageClass"], "STANDARD");
        assert!(copy.get("contentLanguage").is_none());
    }

    #[test]
    fn a_change_removes_what_is_not_to_be_kept() {
        let mut attributes = Attributes::default();
        let value = ("mtime".to_owned(), "5".to_owned());
        attributes.metadata.extend([value]);
        let patch = object().kept.patch(&attributes);
        let patch = serde_json::to_value(patch).unwrap();
        assert!(patch["contentType"].is_null());
        assert_eq!(patch["metadata"]["mtime"], "5");
        assert!(patch["metadata"]["Other"].is_null());
        assert!(patch.get("storageClass").is_none());
    }
}
