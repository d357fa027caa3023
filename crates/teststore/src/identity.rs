//! Where machines get their credentials: what clouds offer beside their stores.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio_util::sync::DropGuard;

use crate::serve::{self, Body, Fault, full};
use crate::{Answer, Keys};

/// What instances of EC2 must show to ask for more.
const INSTANCE_TOKEN: &str = "token-of-an-instance";
/// For how long it is good: asked for, and answered.
const INSTANCE_TOKEN_LIFETIME: HeaderName =
    HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
/// The role of the instance.
const ROLE: &str = "role-of-a-test";
/// No form is larger.
const MOST: usize = 64 * 1024;

/// What a cloud tells a machine about itself, all on one port of its own:
///
/// - EC2's instance metadata, version 2 only:
///   <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>
/// - the credentials of a container, at `/container`:
///   <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
/// - STS, `AssumeRole` and `AssumeRoleWithWebIdentity`: <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>
/// - Google's metadata, and the exchange of a signed statement for a token, at `/token`:
///   <https://cloud.google.com/compute/docs/metadata/overview>, <https://developers.google.com/identity/protocols/oauth2/service-account>
/// - Azure's managed identity, and the exchange of a secret or of another's token for one of Microsoft Entra, for every tenant:
///   <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>,
///   <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
///
/// Dropped, it ends with all connections.
#[derive(Debug)]
pub struct FakeIdentity {
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Shared {
    keys: Keys,
    token: &'static str,
    lifetime: Mutex<SignedDuration>,
    asked: Mutex<Vec<Asked>>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path and the query, as they were sent.
    pub target: String,
    /// The body.
    pub body: String,
}

impl FakeIdentity {
    /// Starts one that hands out these keys with a session token to those who ask for AWS, and the token alone to the others.
    pub async fn start(keys: Keys, token: &'static str) -> Self {
        let (listener, address) = serve::listen().await;
        let shared = Arc::new(Shared {
            keys,
            token,
            lifetime: Mutex::new(SignedDuration::from_hours(1)),
            asked: Mutex::default(),
        });
        let answering = Arc::clone(&shared);
        let end = serve::each(listener, move |client| {
            let shared = Arc::clone(&answering);
            serve::serve(client, move |request| answer(Arc::clone(&shared), request))
        });
        Self {
            address,
            shared,
            _end: end,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it hands out from now on is good for so long; an hour, until this is called.
    pub fn set_lifetime(&self, lifetime: SignedDuration) {
        *self.shared.lifetime.lock() = lifetime;
    }

    /// What it was asked, in that order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().clone()
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Fault> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST).collect().await?.to_bytes();
    let asked = Asked {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let response = shared.response(&asked, head.uri.path(), &head.headers);
    shared.asked.lock().push(asked);
    Ok(response)
}

impl Shared {
    fn response(&self, asked: &Asked, path: &str, headers: &HeaderMap) -> Response<Body> {
        let shows = |name: &str, wanted: &str| {
            let value = headers.get(name);
            value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()))
        };
        let instance = shows("x-aws-ec2-metadata-token", INSTANCE_TOKEN);
        match (asked.method.as_str(), path) {
            ("PUT", "/latest/api/token") => {
                let mut response = text("text/plain", INSTANCE_TOKEN.to_owned());
                if let Some(lifetime) = headers.get(&INSTANCE_TOKEN_LIFETIME) {
                    let headers = response.headers_mut();
                    headers.insert(INSTANCE_TOKEN_LIFETIME, lifetime.clone());
                }
                response
            }
            ("GET", path) if path.starts_with("/latest/") && !instance => refused(401),
            ("GET", "/latest/meta-data/iam/security-credentials/") => {
                text("text/plain", ROLE.to_owned())
            }
            ("GET", path)
                if path.strip_prefix("/latest/meta-data/iam/security-credentials/")
                    == Some(ROLE) =>
            {
                self.aws()
            }
            ("GET", "/latest/meta-data/placement/region") => {
                text("text/plain", crate::sign::REGION.to_owned())
            }
            ("GET", "/container") => self.aws(),
            ("POST", "/") => self.sts(&asked.body),
            ("GET", path) if path.starts_with("/computeMetadata/") => {
                if shows("metadata-flavor", "google") {
                    self.google()
                } else {
                    refused(403)
                }
            }
            ("POST", "/token") => self.google(),
            ("POST", path) if path.ends_with("/oauth2/v2.0/token") => self.entra(),
            ("GET", "/metadata/identity/oauth2/token") => {
                if shows("metadata", "true") {
                    self.azure()
                } else {
                    refused(400)
                }
            }
            _ => refused(404),
        }
    }

    fn expiration(&self) -> Timestamp {
        Timestamp::now() + *self.lifetime.lock()
    }

    fn seconds(&self) -> i64 {
        self.lifetime.lock().as_secs()
    }

    fn aws(&self) -> Response<Body> {
        let time = "%Y-%m-%dT%H:%M:%SZ";
        text(
            "application/json",
            format!(
                r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"{}","AccessKeyId":"{}","SecretAccessKey":"{}","Token":"{}","Expiration":"{}"}}"#,
                Timestamp::now().strftime(time),
                self.keys.id,
                self.keys.secret,
                self.token,
                self.expiration().strftime(time)
            ),
        )
    }

    fn sts(&self, form: &str) -> Response<Body> {
        let action = form
            .split('&')
            .find_map(|field| field.strip_prefix("Action="))
            .filter(|action| matches!(*action, "AssumeRole" | "AssumeRoleWithWebIdentity"));
        let Some(action) = action else {
            return Answer::s3(400, "InvalidAction").response();
        };
        let body = format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
             <AssumedRoleUser><AssumedRoleId>id:test</AssumedRoleId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/{ROLE}/test</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
             <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
             </{action}Result></{action}Response>",
            self.keys.id,
            self.keys.secret,
            self.token,
            self.expiration().strftime("%Y-%m-%dT%H:%M:%SZ")
        );
        text("text/xml", body)
    }

    fn google(&self) -> Response<Body> {
        let mut response = text(
            "application/json",
            format!(
                r#"{{"access_token":"{}","expires_in":{},"token_type":"Bearer"}}"#,
                self.token,
                self.seconds()
            ),
        );
        response.headers_mut().insert(
            HeaderName::from_static("metadata-flavor"),
            HeaderValue::from_static("Google"),
        );
        response
    }

    fn entra(&self) -> Response<Body> {
        text(
            "application/json",
            format!(
                r#"{{"access_token":"{}","expires_in":{},"ext_expires_in":{},"token_type":"Bearer"}}"#,
                self.token,
                self.seconds(),
                self.seconds()
            ),
        )
    }

    fn azure(&self) -> Response<Body> {
        text(
            "application/json",
            format!(
                r#"{{"access_token":"{}","expires_in":"{}","expires_on":"{}","resource":"https://storage.azure.com/","token_type":"Bearer"}}"#,
                self.token,
                self.seconds(),
                self.expiration().as_second()
            ),
        )
    }
}

fn text(kind: &str, body: String) -> Response<Body> {
    Response::builder()
        .header(CONTENT_TYPE, kind)
        .body(full(body))
        .unwrap()
}

fn refused(status: u16) -> Response<Body> {
    Answer::new(status).response()
}
