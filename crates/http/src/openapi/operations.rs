//! The table of operations.

use serde_json::{Map, Value, json};

/// One method of one path.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    /// The schema of the body, if there is one.
    body: Option<&'static str>,
    success: Success,
    /// Statuses of refusals beside those that any request may meet.
    refusals: &'static [u16],
    /// What can be asked next, with something of the answer.
    links: &'static [Link],
}

/// The `id` of another operation, found in the answer of this one.
struct Link {
    /// Its `operationId`.
    to: &'static str,
    id: &'static str,
}

/// What is answered if all is well.
enum Success {
    /// An acknowledgement with this status.
    Done(u16),
    /// A value of a schema.
    One(&'static str),
    /// A list of them.
    Many(&'static str),
    /// A text.
    Text,
    /// Some JSON object.
    Object,
}

struct Parameter {
    name: &'static str,
    /// `path` or `query`.
    place: &'static str,
    required: bool,
    description: &'static str,
    schema: fn() -> Value,
    example: Option<fn() -> Value>,
}

/// Who shows that nothing is behind it is not asked for a password.
const HEALTH: &str = "/healthz";

const TAGS: [(&str, &str); 7] = [
    ("users", "Accounts."),
    ("connections", "Sessions that are open."),
    ("quota", "Counting what users have stored."),
    ("defender", "Addresses that misbehave."),
    ("maintenance", "Dump and restore of all accounts."),
    ("server", "The server itself."),
    ("monitoring", "For machines that watch it."),
];

const INTEGER: fn() -> Value = || json!({ "type": "integer", "format": "int64" });
const TEXT: fn() -> Value = || json!({ "type": "string" });

const USER_ID: Parameter = Parameter {
    name: "id",
    place: "path",
    required: true,
    description: "The `id` of the user.",
    schema: INTEGER,
    example: None,
};

const HOST_ID: Parameter = Parameter {
    name: "id",
    place: "path",
    required: true,
    description: "The address, or the `id` of the host.",
    schema: TEXT,
    example: Some(|| json!("192.0.2.1")),
};

const IP: Parameter = Parameter {
    name: "ip",
    place: "query",
    required: true,
    description: "An address.",
    schema: TEXT,
    example: Some(|| json!("192.0.2.1")),
};

const OPERATIONS: &[Operation] = &[
    Operation {
        method: "get",
        path: "/api/v1/version",
        id: "get_version",
        tag: "server",
        summary: "Which version answers",
        parameters: &[],
        body: None,
        success: Success::One("Version"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/providerstatus",
        id: "get_provider_status",
        tag: "server",
        summary: "Whether the data provider answers",
        parameters: &[],
        body: None,
        success: Success::Done(200),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/connection",
        id: "get_connections",
        tag: "connections",
        summary: "The sessions that are open and their transfers",
        parameters: &[],
        body: None,
        success: Success::Many("Connection"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "delete",
        path: "/api/v1/connection/{id}",
        id: "close_connection",
        tag: "connections",
        summary: "Closes a connection with all its sessions",
        parameters: &[Parameter {
            name: "id",
            place: "path",
            required: true,
            description: "The `connection_id`.",
            schema: TEXT,
            example: None,
        }],
        body: None,
        success: Success::Done(200),
        refusals: &[404],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/quota_scan",
        id: "get_quota_scans",
        tag: "quota",
        summary: "The scans that are under way",
        parameters: &[],
        body: None,
        success: Success::Many("QuotaScan"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "post",
        path: "/api/v1/quota_scan",
        id: "start_quota_scan",
        tag: "quota",
        summary: "Counts the files of a user anew, in the background",
        parameters: &[],
        body: Some("ScanRequest"),
        success: Success::Done(201),
        refusals: &[404, 409],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/user",
        id: "get_users",
        tag: "users",
        summary: "A page of users, by name",
        parameters: &[
            Parameter {
                name: "limit",
                place: "query",
                required: false,
                description: "How many at most: 100 if it is left out, never more than 500.",
                schema: || json!({ "type": "integer", "format": "int64", "default": 100 }),
                example: None,
            },
            Parameter {
                name: "offset",
                place: "query",
                required: false,
                description: "How many to leave out; `after` is faster in long lists.",
                schema: || json!({ "type": "integer", "format": "int64", "default": 0 }),
                example: None,
            },
            Parameter {
                name: "order",
                place: "query",
                required: false,
                description: "The order of names.",
                schema: || json!({ "type": "string", "enum": ["ASC", "DESC"], "default": "ASC" }),
                example: None,
            },
            Parameter {
                name: "username",
                place: "query",
                required: false,
                description: "Only the user of this very name.",
                schema: TEXT,
                example: None,
            },
            Parameter {
                name: "after",
                place: "query",
                required: false,
                description: "Only users after this name, in the order that is asked for.",
                schema: TEXT,
                example: None,
            },
            Parameter {
                name: "search",
                place: "query",
                required: false,
                description: "Only users whose names begin so, letter by letter.",
                schema: TEXT,
                example: None,
            },
        ],
        body: None,
        success: Success::Many("User"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "post",
        path: "/api/v1/user",
        id: "add_user",
        tag: "users",
        summary: "Adds a user. A name that is taken is answered with 500",
        parameters: &[],
        body: Some("NewUser"),
        success: Success::One("User"),
        refusals: &[],
        links: &[
            Link {
                to: "get_user_by_id",
                id: "$response.body#/id",
            },
            Link {
                to: "update_user",
                id: "$response.body#/id",
            },
            Link {
                to: "delete_user",
                id: "$response.body#/id",
            },
        ],
    },
    Operation {
        method: "get",
        path: "/api/v1/user/{id}",
        id: "get_user_by_id",
        tag: "users",
        summary: "One user",
        parameters: &[USER_ID],
        body: None,
        success: Success::One("User"),
        refusals: &[404],
        links: &[],
    },
    Operation {
        method: "put",
        path: "/api/v1/user/{id}",
        id: "update_user",
        tag: "users",
        summary: "Changes a user: what is left out stays",
        parameters: &[USER_ID],
        body: Some("UserChanges"),
        success: Success::Done(200),
        refusals: &[404],
        links: &[],
    },
    Operation {
        method: "delete",
        path: "/api/v1/user/{id}",
        id: "delete_user",
        tag: "users",
        summary: "Removes a user, and none of the files",
        parameters: &[USER_ID],
        body: None,
        success: Success::Done(200),
        refusals: &[404],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/dumpdata",
        id: "dumpdata",
        tag: "maintenance",
        summary: "Writes all users, hashes and secrets included, to a file of the server. Changes something though it is GET",
        parameters: &[
            Parameter {
                name: "output_file",
                place: "query",
                required: true,
                description: "The file, below `httpd.backups_path`; without `..`.",
                schema: || json!({ "type": "string", "minLength": 1 }),
                example: Some(|| json!("users.json")),
            },
            Parameter {
                name: "indent",
                place: "query",
                required: false,
                description: "1 to write it for people.",
                schema: || json!({ "type": "integer", "enum": [0, 1], "default": 0 }),
                example: None,
            },
        ],
        body: None,
        success: Success::Done(200),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/loaddata",
        id: "loaddata",
        tag: "maintenance",
        summary: "Adds and updates users from a dump on the server. Changes something though it is GET",
        parameters: &[
            Parameter {
                name: "input_file",
                place: "query",
                required: true,
                description: "The absolute path of a dump of at most 10 MiB.",
                schema: || json!({ "type": "string", "pattern": "^/" }),
                example: None,
            },
            Parameter {
                name: "scan_quota",
                place: "query",
                required: false,
                description: "Whose files are counted afterwards: nobody's (0), everybody's (1), those of users with a limit (2).",
                schema: || json!({ "type": "integer", "enum": [0, 1, 2], "default": 0 }),
                example: None,
            },
            Parameter {
                name: "mode",
                place: "query",
                required: false,
                description: "Whether users that are there are updated (0) or left alone (1).",
                schema: || json!({ "type": "integer", "enum": [0, 1], "default": 0 }),
                example: None,
            },
        ],
        body: None,
        success: Success::Done(200),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/defender/hosts",
        id: "get_defender_hosts",
        tag: "defender",
        summary: "Every address that is banned or has points",
        parameters: &[],
        body: None,
        success: Success::Many("DefenderHost"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/defender/hosts/{id}",
        id: "get_defender_host",
        tag: "defender",
        summary: "One of them",
        parameters: &[HOST_ID],
        body: None,
        success: Success::One("DefenderHost"),
        refusals: &[404],
        links: &[],
    },
    Operation {
        method: "delete",
        path: "/api/v1/defender/hosts/{id}",
        id: "forgive_defender_host",
        tag: "defender",
        summary: "Lifts a ban, or forgets points",
        parameters: &[HOST_ID],
        body: None,
        success: Success::Done(200),
        refusals: &[404],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/defender/bantime",
        id: "get_ban_time",
        tag: "defender",
        summary: "Until when an address is banned",
        parameters: &[IP],
        body: None,
        success: Success::One("BanTime"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/api/v1/defender/score",
        id: "get_score",
        tag: "defender",
        summary: "The points of an address",
        parameters: &[IP],
        body: None,
        success: Success::One("Score"),
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/metrics",
        id: "get_metrics",
        tag: "monitoring",
        summary: "Metrics in the text format of Prometheus",
        parameters: &[],
        body: None,
        success: Success::Text,
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: HEALTH,
        id: "get_health",
        tag: "monitoring",
        summary: "Whether this server can do its work; asks for no password",
        parameters: &[],
        body: None,
        success: Success::Text,
        refusals: &[],
        links: &[],
    },
    Operation {
        method: "get",
        path: "/openapi.json",
        id: "get_openapi",
        tag: "server",
        summary: "This document",
        parameters: &[],
        body: None,
        success: Success::Object,
        refusals: &[],
        links: &[],
    },
];

/// What any request may meet, and why.
const COMMON: [u16; 6] = [400, 401, 403, 429, 500, 503];

/// Groups of operations.
pub(super) fn tags() -> Value {
    let tags = TAGS.map(|(name, description)| json!({ "name": name, "description": description }));
    Value::Array(tags.to_vec())
}

/// Method, in lower case, and path of each operation.
#[cfg(test)]
pub(super) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    OPERATIONS.iter().map(|row| (row.method, row.path))
}

/// The operations by path and method.
pub(super) fn paths() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(operation.method.to_owned(), operation.to_json());
        }
    }
    Value::Object(paths)
}

impl Operation {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("operationId".to_owned(), self.id.into());
        object.insert("tags".to_owned(), json!([self.tag]));
        object.insert("summary".to_owned(), self.summary.into());
        object.insert("responses".to_owned(), self.responses());
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter().map(Parameter::to_json);
            object.insert("parameters".to_owned(), parameters.collect());
        }
        if let Some(schema) = self.body {
            let body = json!({ "required": true, "content": json_of(reference(schema)) });
            object.insert("requestBody".to_owned(), body);
        }
        if self.is_free() {
            object.insert("security".to_owned(), json!([]));
        }
        Value::Object(object)
    }

    fn is_free(&self) -> bool {
        self.path == HEALTH
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        let (status, content) = match self.success {
            Success::Done(status) => (status, json_of(reference("Reply"))),
            Success::One(schema) => (200, json_of(reference(schema))),
            Success::Many(schema) => {
                let list = json!({ "type": "array", "items": reference(schema) });
                (200, json_of(list))
            }
            Success::Text => (200, text()),
            Success::Object => (200, json_of(json!({ "type": "object" }))),
        };
        let mut success = Map::new();
        success.insert("description".to_owned(), "Done".into());
        success.insert("content".to_owned(), content);
        if !self.links.is_empty() {
            let links = self.links.iter().map(Link::to_json);
            success.insert("links".to_owned(), Value::Object(links.collect()));
        }
        responses.insert(status.to_string(), Value::Object(success));
        let refusals = COMMON.iter().chain(self.refusals);
        for status in refusals.filter(|status| !self.is_free() || [500, 503].contains(*status)) {
            responses.insert(status.to_string(), self.refusal(*status));
        }
        Value::Object(responses)
    }

    fn refusal(&self, status: u16) -> Value {
        let mut content = json_of(reference("Reply"));
        // Who asks for a login, or looks at the health, answers machines of all kinds.
        if !self.path.starts_with("/api/v1/") && [401, 429, 503].contains(&status) {
            content = json!({
                "text/plain": { "schema": TEXT() },
                "application/json": { "schema": reference("Reply") },
            });
        }
        let mut refusal = json!({ "description": reason(status), "content": content });
        let header = match status {
            401 => Some(("WWW-Authenticate", TEXT())),
            429 => Some(("Retry-After", json!({ "type": "integer" }))),
            _ => None,
        };
        if let (Some((name, schema)), Some(refusal)) = (header, refusal.as_object_mut()) {
            let headers = json!({ name: { "schema": schema } });
            refusal.insert("headers".to_owned(), headers);
        }
        refusal
    }
}

impl Link {
    fn to_json(&self) -> (String, Value) {
        let link = json!({ "operationId": self.to, "parameters": { "id": self.id } });
        (self.to.to_owned(), link)
    }
}

impl Parameter {
    fn to_json(&self) -> Value {
        let mut parameter = json!({
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.description,
            "schema": (self.schema)(),
        });
        if let (Some(example), Some(parameter)) = (self.example, parameter.as_object_mut()) {
            parameter.insert("example".to_owned(), example());
        }
        parameter
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "A value of the request makes no sense, or the body is larger than 1 MiB",
        401 => "No user name and password, or wrong ones",
        403 => "The request comes from another web site, or settings forbid it",
        404 => "There is no such thing",
        409 => "It is under way already",
        429 => "Too many failed logins from this address",
        500 => "The data provider refused or failed, a file could not be written, or worse",
        503 => "Too much to do: it takes longer than a request may, or something does not answer",
        _ => "Refused",
    }
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn json_of(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn text() -> Value {
    json!({ "text/plain": { "schema": TEXT() } })
}
