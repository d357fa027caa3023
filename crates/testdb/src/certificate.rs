//! A certificate authority and a certificate for `localhost`, and for no other name.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of both.
#[derive(Debug)]
pub struct Certificates {
    directory: PathBuf,
}

impl Certificates {
    /// Makes them in a directory.
    pub fn make(directory: &Path) -> Self {
        let certificates = Self {
            directory: directory.to_owned(),
        };
        let file = |name: &str| directory.join(name).display().to_string();
        let key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ];
        let (authority_key, request, names) =
            (file("authority.key"), file("request"), file("names"));
        let (authority, server) = (file("authority.pem"), file("server.pem"));
        std::fs::write(&names, "subjectAltName=DNS:localhost").unwrap();
        openssl(
            &[&["req", "-x509"], &key[..]].concat(),
            &["-keyout", &authority_key, "-out", &authority, "-days", "2"],
            &["-subj", "/CN=authority of a test"],
        );
        openssl(
            &[&["req"], &key[..]].concat(),
            &["-keyout", &file("server.key"), "-out", &request],
            &["-subj", "/CN=localhost"],
        );
        openssl(
            &["x509", "-req", "-CAcreateserial", "-days", "2"],
            &["-in", &request, "-CA", &authority, "-CAkey", &authority_key],
            &["-extfile", &names, "-out", &server],
        );
        certificates
    }

    /// The certificate of the authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// The certificate of the server.
    #[must_use]
    pub fn server(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    /// The key of the server.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.directory.join("server.key")
    }
}

fn openssl(first: &[&str], second: &[&str], third: &[&str]) {
    let output = Command::new("openssl")
        .args(first)
        .args(second)
        .args(third)
        .output()
        .unwrap_or_else(|error| panic!("openssl: {error}: run scripts/test"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl: {text}");
}
