//! JSON replies in the form of the reference (11): one value and a newline, with the characters escaped that matter in HTML.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A reply with `value` as its body.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => typed(status, JSON, escaped(&text) + "\n"),
        Err(error) => {
            tracing::error!(sender = "httpd", %error, "a reply could not be written as JSON");
            let body = "{\"error\":\"Internal Server Error\",\"message\":\"\",\"status\":500}\n";
            typed(StatusCode::INTERNAL_SERVER_ERROR, JSON, body.to_owned())
        }
    }
}

/// A reply of any type. What is known about accounts must not stay in caches, nor be taken for another type.
pub(crate) fn typed(status: StatusCode, content_type: HeaderValue, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// In JSON text these characters occur only inside strings, so replacing them keeps the meaning.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_changes_the_text_and_not_the_value() {
        let value = "</script>&\u{2028}\u{2029}\"é";
        let text = escaped(&serde_json::to_string(value).unwrap());
        assert_eq!(text, r#""\u003c/script\u003e\u0026\u2028\u2029\"é""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
