//! Everything that is stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::FoundGcs;
use super::asked::Conditions;
use crate::content::{Content, Data, Sink};

pub(super) type Objects = BTreeMap<String, Object>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) buckets: BTreeMap<String, Objects>,
    /// By their identifier.
    pub(super) uploads: BTreeMap<String, Upload>,
    /// The resources of the objects that uploads have become, by their identifier.
    pub(super) ended: BTreeMap<String, Value>,
    last: u64,
}

impl State {
    /// A number that nothing had before.
    pub(super) fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) data: Data,
    pub(super) resource: Resource,
    pub(super) generation: u64,
    pub(super) metageneration: u64,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

/// What clients say of an object, and may change.
#[derive(Debug, Clone, Default)]
pub(super) struct Resource {
    /// `contentType`, `storageClass`, `metadata` and the like.
    fields: Map<String, Value>,
}

/// A resumable upload.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) bucket: String,
    pub(super) name: String,
    pub(super) resource: Resource,
    pub(super) conditions: Conditions,
    pub(super) sink: Sink,
}

/// What clients may set.
const FIELDS: [&str; 8] = [
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "metadata",
    "storageClass",
];

impl Resource {
    /// What a client sends with an object.
    pub(super) fn of(sent: &Value) -> Self {
        let mut resource = Self::default();
        resource.change(sent);
        resource
    }

    /// Lays what a client sends over it: `null` removes.
    pub(super) fn change(&mut self, sent: &Value) {
        for name in FIELDS {
            match (sent.get(name), name) {
                (None, _) => {}
                (Some(Value::Null), _) => drop(self.fields.remove(name)),
                (Some(Value::Object(changes)), "metadata") => {
                    let entry = self.fields.entry(name).or_insert_with(|| json!({}));
                    if let Value::Object(metadata) = entry {
                        metadata.extend(changes.clone());
                        metadata.retain(|_, value| !value.is_null());
                    }
                }
                (Some(value), _) => drop(self.fields.insert(name.to_owned(), value.clone())),
            }
        }
    }

    /// The same with another type of content, if there is none yet.
    pub(super) fn with_type(mut self, kind: Option<&str>) -> Self {
        if let Some(kind) = kind {
            let entry = self.fields.entry("contentType");
            entry.or_insert_with(|| json!(kind));
        }
        self
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }
}

impl Object {
    pub(super) fn new(data: Data, resource: Resource, generation: u64) -> Self {
        let now = Timestamp::now();
        Self {
            data,
            resource,
            generation,
            metageneration: 1,
            created: now,
            updated: now,
        }
    }

    /// <https://cloud.google.com/storage/docs/json_api/v1/objects#resource>
    pub(super) fn json(&self, bucket: &str, name: &str) -> Value {
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut fields = self.resource.fields.clone();
        fields
            .entry("storageClass")
            .or_insert_with(|| json!("STANDARD"));
        let own = [
            ("kind", json!("storage#object")),
            ("id", json!(format!("{bucket}/{name}/{}", self.generation))),
            ("name", json!(name)),
            ("bucket", json!(bucket)),
            ("generation", json!(self.generation.to_string())),
            ("metageneration", json!(self.metageneration.to_string())),
            ("size", json!(self.data.size.to_string())),
            ("etag", json!(self.etag())),
            ("timeCreated", json!(time(self.created))),
            ("updated", json!(time(self.updated))),
        ];
        fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(fields)
    }

    pub(super) fn etag(&self) -> String {
        format!("{}/{}", self.generation, self.metageneration)
    }

    pub(super) fn found(&self, bucket: &str, name: &str) -> FoundGcs {
        let content = match &self.data.content {
            Content::Kept(kept) => Some(kept.bytes().clone()),
            Content::Pattern(_) | Content::Gone => None,
        };
        FoundGcs {
            size: self.data.size,
            crc32: self.data.crc32,
            content,
            generation: self.generation,
            resource: self.json(bucket, name),
        }
    }
}
