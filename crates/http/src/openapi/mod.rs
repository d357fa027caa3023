//! The OpenAPI document (3.1): what every route takes and answers. Kept in `openapi/openapi.json` by a golden test, and
//! served at `/openapi.json`, behind the password like the rest: it tells which version of which program this is, and of
//! no use is it to who may call nothing in it.
//!
//! [`operations`] has a row for each route, [`schemas`] the shapes of bodies: derived from the types that replies are made
//! of, but for accounts, whose type belongs to a crate that knows no REST.

mod operations;
mod schemas;
mod user;

use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::reply;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Of the document: the reference's is 1.8.3, and this one adds to it.
const VERSION: &str = "1.9.0";

const DESCRIPTION: &str = "Manages users and watches connections of an SFTPGo server. With `httpd.auth_user_file` set, \
    every request needs HTTP basic authentication. Bodies are JSON of at most 1 MiB, keys match in any case, unknown keys \
    and query parameters are ignored. Refusals and acknowledgements have the shape `Reply`; what is wrong stands in \
    `error` or in `message`.";

/// `GET /openapi.json`.
pub(crate) async fn show() -> Response {
    reply::typed(StatusCode::OK, JSON, document())
}

/// The document, indented, with a line break at its end.
#[must_use]
pub fn document() -> String {
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "SFTPGo REST API",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "basic": [] }],
        "tags": operations::tags(),
        "paths": operations::paths(),
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": { "basic": { "type": "http", "scheme": "basic" } },
        },
    });
    // Writing a tree of texts and numbers cannot fail.
    let text = serde_json::to_string_pretty(&sorted(document));
    text.unwrap_or_default() + "\n"
}

/// A value with its keys in the order of the alphabet at every depth, whatever order the maps of this build keep.
#[must_use]
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            let members = members.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes::routes;

    fn parsed() -> Value {
        serde_json::from_str(&document()).unwrap()
    }

    /// But for the one path that exists to say that it is none.
    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let described: BTreeSet<_> = operations::rows()
            .map(|(method, path)| (path.to_owned(), method.to_uppercase()))
            .collect();
        let routed = routes().into_iter().filter(|route| {
            route.path.starts_with("/api/v1/")
                || ["/metrics", "/healthz", "/openapi.json"].contains(&route.path)
        });
        let routed: BTreeSet<_> = routed
            .filter(|route| !route.path.ends_with('/'))
            .map(|route| (route.path.to_owned(), route.method.to_owned()))
            .collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn who_needs_a_password_is_described_as_it_is() {
        let document = parsed();
        for route in routes() {
            let operation = &document["paths"][route.path][route.method.to_lowercase()];
            if operation.is_null() {
                continue;
            }
            let free = operation["security"] == json!([]);
            assert_eq!(free, !route.needs_password, "{route:?}");
            let told = operation["responses"].get("401").is_some();
            assert_eq!(told, route.needs_password, "{route:?}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        found.insert(reference.clone());
                    }
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = parsed();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn operations_have_ids_of_their_own_and_the_parameters_of_their_paths() {
        let document = parsed();
        let mut ids = BTreeSet::new();
        for (method, path) in operations::rows() {
            let operation = &document["paths"][path][method];
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            let parameters = operation["parameters"].as_array();
            let named = parameters
                .into_iter()
                .flatten()
                .any(|parameter| parameter["in"] == "path" && parameter["name"] == "id");
            assert_eq!(named, path.ends_with("/{id}"), "{path}");
        }
    }
}
