//! Signatures as clients make them: AWS Signature Version 4, <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>,
//! and Azure's shared key, <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>.

use std::fmt::Write as _;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use crate::Call;

/// The region in all signatures.
pub(crate) const REGION: &str = "us-east-1";

/// A name and a secret. They are made up, and published with this text.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// The access key, or the account.
    pub id: &'static str,
    /// The secret that belongs to it.
    pub secret: &'static str,
}

/// What a signature of version 4 covers.
#[derive(Debug)]
pub(crate) struct Covered<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// Lower case, sorted.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) payload: &'a str,
    /// As in `x-amz-date`.
    pub(crate) time: &'a str,
    pub(crate) region: &'a str,
}

impl Covered<'_> {
    /// The signature, in hexadecimal digits.
    pub(crate) fn signature(&self, secret: &str) -> String {
        let mut query: Vec<String> = self.query.split('&').map(with_value).collect();
        query.retain(|pair| pair != "=");
        query.sort();
        let mut text = format!("{}\n{}\n{}\n", self.method, self.path, query.join("&"));
        for (name, value) in self.headers {
            let _ = writeln!(text, "{name}:{}", value.trim());
        }
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let _ = write!(text, "\n{}\n{}", names.join(";"), self.payload);

        let day = self.time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.time,
            hex(digest(&SHA256, text.as_bytes()).as_ref())
        );
        let mut key = mac(format!("AWS4{secret}").as_bytes(), day);
        for part in [self.region, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        hex(&mac(&key, &text))
    }
}

impl Call {
    /// Signed for S3, whole body included, as a client does that reaches the store at `host`.
    #[must_use]
    pub fn signed(self, host: SocketAddr, keys: Keys) -> Self {
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let payload = sha256(&self.body);
        let call = self
            .header("host", host.to_string())
            .header("x-amz-date", &time)
            .header("x-amz-content-sha256", &payload);
        let mut headers: Vec<(String, String)> = call
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        headers.sort();
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let covered = Covered {
            method: call.method,
            path,
            query,
            headers: &headers,
            payload: &payload,
            time: &time,
            region: REGION,
        };
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}/{REGION}/s3/aws4_request, SignedHeaders={}, Signature={}",
            keys.id,
            time.get(..8).unwrap_or_default(),
            names.join(";"),
            covered.signature(keys.secret)
        );
        call.header("authorization", authorization)
    }

    /// Signed with the key of an Azure account.
    #[must_use]
    pub fn with_shared_key(self, keys: Keys) -> Self {
        let time = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let call = self
            .header("x-ms-date", time.to_string())
            .header("x-ms-version", "2021-12-02");
        let find = |wanted: &str| {
            let found = call.headers.iter().find(|(name, _)| name == wanted);
            found.map_or("", |(_, value)| value.as_str())
        };
        let length = match call.body.len() {
            0 => String::new(),
            length => length.to_string(),
        };
        let mut text = format!("{}\n", call.method);
        for value in [
            find("content-encoding"),
            find("content-language"),
            &length,
            find("content-md5"),
            find("content-type"),
            find("date"),
            find("if-modified-since"),
            find("if-match"),
            find("if-none-match"),
            find("if-unmodified-since"),
            find("range"),
        ] {
            let _ = writeln!(text, "{value}");
        }
        let mut headers: Vec<_> = call
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-ms-"))
            .collect();
        headers.sort();
        for (name, value) in headers {
            let _ = writeln!(text, "{name}:{value}");
        }
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let _ = write!(text, "/{}{path}", keys.id);
        let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        for pair in query {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            let _ = write!(text, "\n{name}:{value}");
        }
        let secret = STANDARD.decode(keys.secret).expect("a key of Azure");
        let signature = STANDARD.encode(mac(&secret, &text));
        call.header(
            "authorization",
            format!("SharedKey {}:{signature}", keys.id),
        )
    }
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// `name=`, where a query has only the name.
fn with_value(pair: &str) -> String {
    if pair.contains('=') {
        pair.to_owned()
    } else {
        format!("{pair}=")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Example: GET Object" of the document.
    #[test]
    fn a_signature_of_version_4_is_that_of_the_document() {
        let empty = sha256(b"");
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", empty.as_str()),
            ("x-amz-date", "20130524T000000Z"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let covered = Covered {
            method: "GET",
            path: "/test.txt",
            query: "",
            headers: &headers,
            payload: &empty,
            time: "20130524T000000Z",
            region: "us-east-1",
        };
        let signature = covered.signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        assert_eq!(
            signature,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }
}
