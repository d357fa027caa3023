//! The web admin, asked as a browser without scripts and as a program.

mod backup;
mod pages;
mod safety;
mod storage;
mod user;

use std::collections::BTreeMap;

use crate::support::{Reply, TestServer};

/// A form by the names of the reference, as a client of the reference sends it: without a token.
#[derive(Clone)]
pub(crate) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// A user that nothing is wrong with.
    pub(crate) fn of(server: &TestServer, name: &str) -> Self {
        let home = server.homes.path().join(name).display().to_string();
        let mut fields = Self(BTreeMap::new());
        for (field, value) in [
            ("username", name),
            ("home_dir", &home),
            ("password", "$argon2id$none"),
            ("status", "1"),
            ("expiration_date", ""),
            ("permissions", "*"),
            ("sub_dirs_permissions", " /subdir::list ,download "),
            ("fs_provider", "0"),
        ] {
            fields = fields.with(field, value);
        }
        for number in [
            "uid",
            "gid",
            "max_sessions",
            "quota_size",
            "quota_files",
            "upload_bandwidth",
            "download_bandwidth",
        ] {
            fields = fields.with(number, "0");
        }
        fields
    }

    pub(crate) fn with(mut self, field: &str, value: &str) -> Self {
        self.0.insert(field.to_owned(), vec![value.to_owned()]);
        self
    }

    pub(crate) fn without(mut self, field: &str) -> Self {
        self.0.remove(field);
        self
    }

    /// As `application/x-www-form-urlencoded`.
    pub(crate) fn encoded(&self) -> String {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        for (field, values) in &self.0 {
            for value in values {
                encoded.append_pair(field, value);
            }
        }
        encoded.finish()
    }

    /// As `multipart/form-data`, with a file.
    pub(crate) fn multipart(&self, file: Option<(&str, &str)>) -> String {
        let mut body = String::new();
        for (field, values) in &self.0 {
            for value in values {
                body += &format!(
                    "--X\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
                );
            }
        }
        if let Some((field, content)) = file {
            body += &format!(
                "--X\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"f.json\"\r\n\
                 Content-Type: application/json\r\n\r\n{content}\r\n"
            );
        }
        body + "--X--\r\n"
    }
}

/// What a program sends that is no browser.
pub(crate) async fn post(server: &TestServer, target: &str, fields: &Fields) -> Reply {
    server.call("POST", target, &fields.encoded()).await
}

pub(crate) async fn post_multipart(
    server: &TestServer,
    target: &str,
    fields: &Fields,
    file: Option<(&str, &str)>,
) -> Reply {
    send(
        server,
        target,
        "multipart/form-data; boundary=X",
        &fields.multipart(file),
        "",
    )
    .await
}

/// A request with header fields of its own, each with its line end.
pub(crate) async fn send(
    server: &TestServer,
    target: &str,
    kind: &str,
    body: &str,
    headers: &str,
) -> Reply {
    let (address, length) = (server.address(), body.len());
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         {headers}Connection: close\r\n\r\n{body}"
    );
    server.raw(request.as_bytes()).await
}

/// The text that a browser shows for what a page says.
pub(crate) fn unescaped(html: &str) -> String {
    html.replace("&#x2f;", "/")
        .replace("&#x27;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Asserts that it is a page of that title and status, in the frame of all pages.
pub(crate) fn assert_page(reply: &Reply, status: u16, title: &str) {
    let head = format!("<title>SFTPGo - {title}</title>");
    assert_eq!(reply.status, status, "{}", reply.body);
    assert!(reply.body.contains(&head), "{title}: {}", reply.body);
    assert!(reply.body.contains("<footer>SFTPGo 0.9.6</footer>"));
}
