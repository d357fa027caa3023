//! What the library that signs requests needs of the world: files, the environment, and somebody to ask over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use reqsign_core::{Context, Error, FileRead, HttpSend, OsEnv, Result};

use super::super::object::{ObjectError, ObjectErrorKind};
use super::client::Http;

/// Who gives credentials is near, or not there: a machine that is none of the cloud's does not answer at all.
const ASKING: Duration = Duration::from_secs(8);

/// Looks for credentials as the makers' libraries do, as the server sees the world. Runs no programs.
pub(crate) fn context(http: &Http) -> Context {
    Context::new()
        .with_file_read(Files)
        .with_http_send(Asker(http.clone()))
        .with_env(OsEnv)
}

/// A request could not be signed: no credentials were found, or who gives them is away.
pub(crate) fn unsigned(error: Error) -> ObjectError {
    let kind = if error.is_retryable() {
        ObjectErrorKind::Unavailable
    } else {
        ObjectErrorKind::PermissionDenied
    };
    ObjectError::with_source(kind, "no credentials for the store", error)
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        tokio::fs::read(path).await.map_err(|error| {
            Error::config_invalid("a file of credentials cannot be read").with_source(error)
        })
    }
}

#[derive(Debug)]
struct Asker(Http);

impl HttpSend for Asker {
    async fn http_send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let ask = async {
            let answer = self.0.send(request).await?;
            let status = answer.status();
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                // What asked would take it for a refusal.
                let context = "who gives credentials is busy";
                return Err(ObjectError::new(ObjectErrorKind::Unavailable, context));
            }
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = status;
            *response.headers_mut() = answer.headers().clone();
            *response.body_mut() = answer.document().await?;
            Ok::<_, ObjectError>(response)
        };
        match tokio::time::timeout(ASKING, ask).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(away().with_source(error)),
            Err(_) => Err(away()),
        }
    }
}

fn away() -> Error {
    Error::unexpected("who gives credentials does not answer").set_retryable(true)
}
