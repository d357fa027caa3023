//! The shapes of bodies, by name.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::user;
use crate::api;
use crate::problem::GenericReply;
use crate::server::VersionInfo;

/// All that the document refers to.
pub(super) fn all() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.for_serialize().into_generator();
    generator.subschema_for::<GenericReply<'static>>();
    generator.subschema_for::<VersionInfo>();
    generator.subschema_for::<api::ConnectionView>();
    generator.subschema_for::<api::ScanView>();
    generator.subschema_for::<api::HostView>();
    generator.subschema_for::<api::BanTimeView>();
    generator.subschema_for::<api::ScoreView>();
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    schemas.insert("User".to_owned(), user::shown());
    schemas.insert("NewUser".to_owned(), user::new());
    schemas.insert("UserChanges".to_owned(), user::changes());
    schemas.insert("ScanRequest".to_owned(), scan_request());
    Value::Object(schemas)
}

fn scan_request() -> Value {
    json!({
        "type": "object",
        "description": "A user, of whom only the name counts.",
        "properties": { "username": { "type": "string" } },
        "required": ["username"],
    })
}
