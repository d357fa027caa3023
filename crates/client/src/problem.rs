//! [`Problems`]: what is made of everything that is no success.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, StatusCode};
use hyper_util::client::legacy::Error as HyperError;
use rustls::{CertificateError, Error as TlsError};
use serde::Deserialize;

use crate::base::BaseUrl;
use crate::client::ClientSettings;
use crate::error::{ClientError, ClientErrorKind, told};
use crate::trust::Kind;

/// Makes errors of what a server did or did not say.
#[derive(Debug)]
pub(crate) struct Problems {
    base: BaseUrl,
    has_credentials: bool,
    trusted: Trusted,
}

/// What the administrator said about certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trusted {
    Machine,
    File,
    Settings,
}

/// Refusals and acknowledgements (reference 11.1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reply {
    error: String,
    message: String,
}

impl Problems {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        Self {
            base: settings.base.clone(),
            has_credentials: settings.credentials.is_some(),
            trusted: match settings.trust.kind() {
                Kind::Machine => Trusted::Machine,
                Kind::These(_) => Trusted::File,
                Kind::Exactly(_) => Trusted::Settings,
            },
        }
    }

    pub(crate) fn late(&self, time: Duration) -> ClientError {
        let message = format!(
            "{} did not answer within {} s: the server may be busy, or a firewall may be in between",
            self.base,
            time.as_secs_f32()
        );
        ClientError::new(ClientErrorKind::TimedOut, message)
    }

    /// There is no answer.
    pub(crate) fn of_connection(&self, error: &HyperError) -> ClientError {
        if let Some(tls) = cause::<TlsError>(error) {
            return self.of_tls(tls);
        }
        let causes = causes(error);
        let message = if error.is_connect() {
            format!(
                "cannot connect to {}: {causes}; is the server running, and is its httpd.bind_port that port?",
                self.base
            )
        } else {
            format!("{} gave no answer: {causes}", self.base)
        };
        ClientError::new(ClientErrorKind::Unreachable, message)
    }

    fn of_tls(&self, error: &TlsError) -> ClientError {
        let base = &self.base;
        let message = if let TlsError::InvalidCertificate(error) = error {
            self.of_certificate(error)
        } else if let TlsError::InvalidMessage(_) = error {
            format!("{base} does not speak TLS: use http:// in the URL, or set up HTTPS there")
        } else {
            format!(
                "no TLS connection with {base}: {}",
                told(&error.to_string())
            )
        };
        ClientError::new(ClientErrorKind::Certificate, message)
    }

    fn of_certificate(&self, error: &CertificateError) -> String {
        let base = &self.base;
        match (error, self.trusted) {
            (_, Trusted::Settings) => format!(
                "{base} has another certificate than httpd.certificate_file: send the server SIGHUP if the file was \
                 replaced, or give its URL with --url"
            ),
            (
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
                Trusted::Machine,
            ) => format!(
                "the certificate of {base} is signed by nobody whom this machine knows: give the certificate of its \
                 authority, or that of the server, with --ca-file"
            ),
            (CertificateError::UnknownIssuer | CertificateError::BadSignature, Trusted::File) => {
                format!(
                    "the certificate of {base} is neither in the file of --ca-file nor signed by one that is"
                )
            }
            (
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                Trusted::Machine | Trusted::File,
            ) => format!(
                "the certificate of {base} is for another name ({error}): use a name that is in it in the URL"
            ),
            (
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
                Trusted::Machine | Trusted::File,
            ) => format!(
                "the certificate of {base} has expired: renew it and send the server SIGHUP"
            ),
            (other, Trusted::Machine | Trusted::File) => {
                format!("the certificate of {base} cannot be believed: {other}")
            }
        }
    }

    /// The answer is no success.
    pub(crate) fn of_answer(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        subject: Option<&str>,
    ) -> ClientError {
        let base = &self.base;
        let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let reply: Reply = serde_json::from_slice(body).unwrap_or_default();
        let sentence = sentence(status, body);
        let (kind, message) = match status.as_u16() {
            401 => (ClientErrorKind::Unauthorized, self.unauthorized()),
            404 => match subject {
                // The API says what is not there in this field; whoever has no such path, in the other one or not at all.
                Some(_) if !reply.error.is_empty() => (ClientErrorKind::NotFound, sentence),
                Some(subject) => (ClientErrorKind::NotFound, subject.to_owned()),
                None => (
                    ClientErrorKind::NotUnderstood,
                    format!(
                        "{base} does not know what it was asked: it is no SFTPGo server, or one of an older version"
                    ),
                ),
            },
            409 => (ClientErrorKind::Conflict, sentence),
            429 => {
                let wait = header(RETRY_AFTER)
                    .map_or_else(|| "a while".to_owned(), |seconds| format!("{seconds} s"));
                let message = format!(
                    "{base} has seen too many wrong passwords from this address: wait {wait} and try again"
                );
                (ClientErrorKind::TooManyAttempts, message)
            }
            300..=399 => {
                let to = header(LOCATION).unwrap_or("another address");
                let message = format!("{base} sends us to {to}: give that server's address as URL");
                (ClientErrorKind::NotUnderstood, message)
            }
            // What the server says is what the same command says without it.
            400..=499 => (ClientErrorKind::Refused, sentence),
            _ => (
                ClientErrorKind::Failed,
                format!("{base} answers {}: {sentence}", status.as_u16()),
            ),
        };
        ClientError::new(kind, message)
    }

    fn unauthorized(&self) -> String {
        let base = &self.base;
        if self.has_credentials {
            return format!(
                "{base} refuses this name and password: check --auth-user, and the file of --auth-password-file or the \
                 variable SFTPGO_AUTH_PASSWORD"
            );
        }
        format!(
            "{base} asks for a name and a password: give --auth-user, and --auth-password-file or the variable \
             SFTPGO_AUTH_PASSWORD"
        )
    }
}

/// What the server said is wrong.
fn sentence(status: StatusCode, body: &[u8]) -> String {
    let reply: Option<Reply> = serde_json::from_slice(body).ok();
    let text = match reply {
        Some(reply) if !reply.error.is_empty() => reply.error,
        Some(reply) => reply.message,
        // A page of a proxy says nothing to people with a terminal.
        None if body.trim_ascii_start().starts_with(b"<") => String::new(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let text = told(&text);
    if text.is_empty() {
        return status.to_string();
    }
    text
}

/// The first error of a kind in a chain. An error in an `io::Error` is none of its sources, those of that error are.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inside = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

/// The library says "client error" and leaves what it was to the sources.
fn causes(error: &dyn Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        let text = told(&source.to_string());
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = source.source();
    }
    if texts.is_empty() {
        return told(&error.to_string());
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_where_the_server_put_it() {
        let said = |body: &str| sentence(StatusCode::BAD_REQUEST, body.as_bytes());
        assert_eq!(said(r#"{"error":"a","message":"b","status":400}"#), "a");
        assert_eq!(said(r#"{"error":"","message":"b","status":400}"#), "b");
        assert_eq!(said("use https\n"), "use https");
        assert_eq!(said("<html>..."), "400 Bad Request");
        assert_eq!(said(""), "400 Bad Request");
    }

    #[test]
    fn an_error_is_found_within_an_error_of_io() {
        let inner = io::Error::other(TlsError::DecryptError);
        let outer = io::Error::other(inner);
        assert_eq!(cause::<TlsError>(&outer), Some(&TlsError::DecryptError));
        assert_eq!(cause::<TlsError>(&io::Error::other("text")), None);
    }
}
