//! `/static/`: style sheet, script, pictures. Built in, or of the operator where `httpd.static_files_path` has a file of
//! that name. All of them are in memory, so that nothing a request says becomes a path of the disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, Bytes};
use axum::extract::{Path as Segments, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Admin;
use super::csrf::hex;
use crate::problem::Problem;

/// Files of the operator, and their bytes together.
const MAX_FILES: usize = 1000;
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Directories within each other.
const MAX_DEPTH: usize = 8;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$((
            $name,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/static/", $name)),
        )),+]
    };
}

const BUILT_IN: &[(&str, &[u8])] = built_in!["app.css", "app.js", "favicon.ico", "logo.svg",];

/// Every static file by its path below `/static/`.
#[derive(Debug)]
pub(super) struct Assets(BTreeMap<String, Asset>);

#[derive(Debug)]
struct Asset {
    body: Bytes,
    content_type: HeaderValue,
    /// The beginning of the digest of the body.
    version: String,
}

impl Asset {
    fn new(name: &str, body: Bytes) -> Self {
        let digest = digest(&SHA256, &body);
        Self {
            content_type: HeaderValue::from_static(content_type(name)),
            version: hex(digest.as_ref()).chars().take(16).collect(),
            body,
        }
    }
}

impl Assets {
    /// The files of `directory`, which need not exist, and the built-in ones for those that it has not.
    ///
    /// # Errors
    /// A sentence: the directory cannot be read, or holds too much.
    pub(super) fn load(directory: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        for (name, body) in BUILT_IN {
            let asset = Asset::new(name, Bytes::from_static(body));
            files.insert((*name).to_owned(), asset);
        }
        let mut own = Own::default();
        own.read(directory, "", 0)
            .map_err(|error| format!("cannot read {}: {error}", directory.display()))?;
        files.extend(own.files);
        Ok(Self(files))
    }

    /// The address of a file, which changes with its contents.
    pub(super) fn url(&self, name: &str) -> String {
        let version = self.0.get(name).map_or("", |asset| &asset.version);
        format!("/static/{name}?v={version}")
    }
}

/// Reads the files of the operator.
#[derive(Default)]
struct Own {
    files: BTreeMap<String, Asset>,
    bytes: u64,
}

impl Own {
    fn read(&mut self, directory: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if depth == 0 && error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            // A name that is no text has no address either; one with a dot first is not meant to be seen.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let name = format!("{prefix}{name}");
            let attributes = entry.metadata()?;
            if attributes.is_dir() && depth < MAX_DEPTH {
                self.read(&entry.path(), &format!("{name}/"), depth + 1)?;
            } else if attributes.is_file() {
                self.add(&name, &entry.path())?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, path: &Path) -> io::Result<()> {
        let room = MAX_BYTES.saturating_sub(self.bytes);
        let mut body = Vec::new();
        fs::File::open(path)?
            .take(room + 1)
            .read_to_end(&mut body)?;
        self.bytes = self.bytes.saturating_add(body.len() as u64);
        if self.bytes > MAX_BYTES || self.files.len() >= MAX_FILES {
            let message = format!("there are more than {MAX_FILES} files or {MAX_BYTES} bytes");
            return Err(io::Error::other(message));
        }
        self.files
            .insert(name.to_owned(), Asset::new(name, body.into()));
        Ok(())
    }
}

/// What is not in the list cannot be taken for anything that a browser runs or shows.
fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    }
}

/// `GET /static`.
pub(super) async fn to_directory() -> Response {
    super::page::moved("/static/")
}

/// `GET /static/{path}`: a file, never a listing.
pub(super) async fn serve(
    State(admin): State<Arc<Admin>>,
    Segments(path): Segments<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = admin.site.assets.0.get(&path) else {
        return Problem::message(StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let tag = format!("\"{}\"", asset.version);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|sent| {
        let mut tags = sent.to_str().unwrap_or_default().split(',').map(str::trim);
        tags.any(|sent| sent.trim_start_matches("W/") == tag)
    });
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(asset.body.clone()))
    };
    // An address with the version never has other contents.
    let versioned = query.is_some_and(|query| query == format!("v={}", asset.version));
    let caching = if versioned {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, asset.content_type.clone());
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        fields.insert(header::ETAG, tag);
    }
    fields.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // A picture that is opened by itself is a document.
    fields.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    );
    if asset.content_type == "application/octet-stream" {
        let attachment = HeaderValue::from_static("attachment");
        fields.insert(header::CONTENT_DISPOSITION, attachment);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_operator_takes_the_place_of_the_built_in_one_of_that_name() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::create_dir_all(at.join("vendor/x")).unwrap();
        fs::write(at.join("app.css"), "mine").unwrap();
        fs::write(at.join("vendor/x/y.js"), "yours").unwrap();
        fs::write(at.join(".secret"), "hidden").unwrap();
        let assets = Assets::load(at).unwrap();
        assert_eq!(assets.0["app.css"].body, "mine");
        assert_eq!(assets.0["vendor/x/y.js"].body, "yours");
        assert!(assets.0.contains_key("app.js") && !assets.0.contains_key(".secret"));
        let built_in = Assets::load(&at.join("missing")).unwrap();
        assert_ne!(built_in.url("app.css"), assets.url("app.css"));
        assert_eq!(built_in.url("app.js"), assets.url("app.js"));
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        assert_eq!(content_type("a.HTML"), "application/octet-stream");
        assert_eq!(content_type("js"), "application/octet-stream");
        assert_eq!(content_type("a.b.CSS"), "text/css; charset=utf-8");
    }
}
