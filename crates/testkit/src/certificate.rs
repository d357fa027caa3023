//! OpenSSH certificates that one test key signs for another.

use russh::keys::Certificate;
use russh::keys::ssh_key::certificate::{Builder, CertType};

use crate::keys::TestKey;

/// A certificate as a client has it.
#[derive(Debug, Clone)]
pub struct TestCertificate(Certificate);

impl TestCertificate {
    /// As it goes over the wire.
    #[must_use]
    pub fn blob(&self) -> Vec<u8> {
        self.0.to_bytes().unwrap()
    }

    /// As a file holds it, without a comment.
    #[must_use]
    pub fn line(&self) -> String {
        self.0.to_openssh().unwrap().trim_end().to_owned()
    }

    pub(crate) fn inner(&self) -> &Certificate {
        &self.0
    }
}

/// What a certificate shall say. Unless told otherwise: of a user, for nobody, valid for ever, without options.
#[derive(Debug, Clone)]
pub struct CertificateDraft {
    key: TestKey,
    kind: CertType,
    serial: u64,
    id: String,
    principals: Vec<String>,
    valid: (u64, u64),
    critical: Vec<(String, String)>,
    extensions: Vec<String>,
}

impl CertificateDraft {
    /// About the owner of this key.
    #[must_use]
    pub fn of(key: &TestKey) -> Self {
        Self {
            key: key.clone(),
            kind: CertType::User,
            serial: 0,
            id: String::new(),
            principals: Vec::new(),
            valid: (0, u64::MAX),
            critical: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// Names this user, beside others.
    #[must_use]
    pub fn names(mut self, user: &str) -> Self {
        self.principals.push(user.to_owned());
        self
    }

    /// Is about a host.
    #[must_use]
    pub fn host(self) -> Self {
        Self {
            kind: CertType::Host,
            ..self
        }
    }

    /// Has this number and this name.
    #[must_use]
    pub fn called(self, serial: u64, id: &str) -> Self {
        Self {
            serial,
            id: id.to_owned(),
            ..self
        }
    }

    /// Is valid from the first second since 1970 up to the other.
    #[must_use]
    pub fn valid(self, after: u64, before: u64) -> Self {
        Self {
            valid: (after, before),
            ..self
        }
    }

    /// Has this critical option; an empty value makes it a flag.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.critical.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has this extension.
    #[must_use]
    pub fn extension(mut self, name: &str) -> Self {
        self.extensions.push(name.to_owned());
        self
    }

    /// The certificate.
    #[must_use]
    pub fn signed_by(&self, authority: &TestKey) -> TestCertificate {
        let (after, before) = self.valid;
        let mut builder =
            Builder::new(b"nonce".to_vec(), self.key.public(), after, before).unwrap();
        builder.serial(self.serial).unwrap();
        builder.cert_type(self.kind).unwrap();
        builder.key_id(&*self.id).unwrap();
        for name in &self.principals {
            builder.valid_principal(&**name).unwrap();
        }
        if self.principals.is_empty() {
            builder.all_principals_valid().unwrap();
        }
        for (name, value) in &self.critical {
            builder.critical_option(&**name, &**value).unwrap();
        }
        for name in &self.extensions {
            builder.extension(&**name, "").unwrap();
        }
        TestCertificate(builder.sign(&*authority.private()).unwrap())
    }
}
