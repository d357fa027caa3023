//! Whether a request is signed by somebody who knows the secret.

use hyper::http::request::Parts;

use super::answer::Failure;
use crate::Keys;
use crate::sign::Covered;

/// Checks the signature in the header `authorization` (one in the query is not known here), and the session token.
pub(super) fn signature(
    head: &Parts,
    keys: Keys,
    session_token: Option<&str>,
) -> Result<(), Failure> {
    let header = |name: &str| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let denied = || Failure::new(403, "AccessDenied", "The request is not signed.");
    let authorization = header("authorization").ok_or_else(denied)?;
    let fields = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(denied)?;
    let field = |name: &str| {
        let mut fields = fields.split(',');
        let field = fields.find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        field.map(str::to_owned).ok_or_else(denied)
    };
    let credential = field("Credential")?;
    let mut scope = credential.split('/');
    if scope.next() != Some(keys.id) {
        return Err(Failure::new(
            403,
            "InvalidAccessKeyId",
            "Nobody has this key.",
        ));
    }
    if header("x-amz-security-token").as_deref() != session_token {
        let message = "The session token does not belong to this key.";
        return Err(Failure::new(400, "InvalidToken", message));
    }
    let region = scope.nth(1).ok_or_else(denied)?;
    let signed = field("SignedHeaders")?;
    let headers: Vec<(String, String)> = signed
        .split(';')
        .map(|name| (name.to_owned(), header(name).unwrap_or_default()))
        .collect();
    let covered = Covered {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        headers: &headers,
        payload: &header("x-amz-content-sha256").ok_or_else(denied)?,
        time: &header("x-amz-date").ok_or_else(denied)?,
        region,
    };
    if covered.signature(keys.secret) != field("Signature")? {
        return Err(Failure::new(
            403,
            "SignatureDoesNotMatch",
            "The secret is another one.",
        ));
    }
    Ok(())
}
