//! A form that was sent, as `multipart/form-data` or `application/x-www-form-urlencoded`.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header;
use futures_util::stream;
use multer::Multipart;
use url::form_urlencoded;

use crate::body;
use crate::problem::Problem;
use crate::server::HttpLimits;

/// The fields, in the order in which they were sent.
///
/// Deliberately without `Debug`: passwords are among them.
pub(super) struct Form(Vec<Field>);

struct Field {
    name: String,
    content: Content,
}

enum Content {
    Text(String),
    File(Bytes),
}

impl Form {
    /// Reads the body of `request`, which may be as large as any.
    pub(super) async fn read(request: Request, limits: &HttpLimits) -> Result<Self, Problem> {
        let sent = request.headers().get(header::CONTENT_TYPE);
        let kind = sent
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let boundary = multer::parse_boundary(&kind).ok();
        let body = body::read(request, limits).await?;
        match boundary {
            Some(boundary) => Self::multipart(body, boundary).await,
            None if is_urlencoded(&kind) => Ok(Self::urlencoded(&body)),
            None => Err(Problem::bad_request("the request body is not a form")),
        }
    }

    fn urlencoded(body: &[u8]) -> Self {
        let fields = form_urlencoded::parse(body);
        let field = |(name, value): (_, std::borrow::Cow<'_, str>)| Field {
            name: std::borrow::Cow::into_owned(name),
            content: Content::Text(value.into_owned()),
        };
        Self(fields.map(field).collect())
    }

    async fn multipart(body: Bytes, boundary: String) -> Result<Self, Problem> {
        let wrong = |error: multer::Error| Problem::bad_request(format!("not a form: {error}"));
        let whole = stream::once(async move { Ok::<_, Infallible>(body) });
        let mut parts = Multipart::new(whole, boundary);
        let mut fields = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(wrong)? {
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(|name| !name.is_empty());
            let bytes = part.bytes().await.map_err(wrong)?;
            let content = match file {
                Some(true) => Content::File(bytes),
                // A browser sends this where no file was chosen.
                Some(false) => continue,
                None => Content::Text(text_of(&bytes)?),
            };
            fields.push(Field { name, content });
        }
        Ok(Self(fields))
    }

    /// The value of a field; empty if it was not sent, the first of several.
    pub(super) fn text(&self, name: &str) -> &str {
        self.texts(name).next().unwrap_or_default()
    }

    /// The same, if it was sent.
    pub(super) fn sent_text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Every value of a field.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |field| field.name == name);
        named.filter_map(|field| match &field.content {
            Content::Text(text) => Some(text.as_str()),
            Content::File(_) => None,
        })
    }

    /// The contents of a file that was chosen.
    pub(super) fn file(&self, name: &str) -> Option<&Bytes> {
        let mut named = self.0.iter().filter(|field| field.name == name);
        named.find_map(|field| match &field.content {
            Content::File(bytes) => Some(bytes),
            Content::Text(_) => None,
        })
    }
}

fn is_urlencoded(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn text_of(bytes: &[u8]) -> Result<String, Problem> {
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|_| Problem::bad_request("a field of the form is not UTF-8"))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn read(kind: &str, body: &str) -> Result<Form, Problem> {
        let request = Request::post("/").header(header::CONTENT_TYPE, kind);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        Form::read(request, &HttpLimits::default()).await
    }

    #[tokio::test]
    async fn both_kinds_of_forms_are_read() {
        let form = read("application/x-www-form-urlencoded", "a=1&b=%C3%A9+x&a=2")
            .await
            .ok()
            .unwrap();
        assert_eq!(form.texts("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            (form.text("b"), form.text("c"), form.sent_text("c")),
            ("é x", "", None)
        );
        let body = "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.json\"\r\n\r\n{}\r\n\
                    --X\r\nContent-Disposition: form-data; name=\"g\"; filename=\"\"\r\n\r\n\r\n--X--\r\n";
        let form = read("multipart/form-data; boundary=X", body)
            .await
            .ok()
            .unwrap();
        assert_eq!(form.text("a"), "1");
        assert_eq!(form.file("f").unwrap().as_ref(), b"{}");
        assert!(form.file("g").is_none() && form.sent_text("g").is_none());
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        for (kind, body) in [
            ("application/json", "{}"),
            ("", "a=1"),
            ("multipart/form-data", "--X--"),
            ("multipart/form-data; boundary=X", "nothing"),
            (
                "multipart/form-data; boundary=X",
                "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ncut",
            ),
        ] {
            assert!(read(kind, body).await.is_err(), "{kind}: {body}");
        }
    }
}
