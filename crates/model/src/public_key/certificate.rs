//! OpenSSH certificates (PROTOCOL.certkeys): a key with what an authority says of its owner. Parsed here and not believed:
//! whose authority signed it, and whether, is for whoever logs somebody in.

use std::fmt;

use ipnet::IpNet;
use thiserror::Error;

use super::addresses::networks;
use super::fields::{Fields, put_string};
use super::{PublicKey, TYPES};

/// Longest certificate that is looked at; one with an RSA key of 8192 bits and fifty principals has 4 KiB.
const MAX_CERTIFICATE: usize = 32 * 1024;
/// As in OpenSSH.
const MAX_PRINCIPALS: usize = 256;

/// Why something is not a certificate that could be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Not a type of certificate that we know.
    #[error("not a known type of certificate")]
    Type,
    /// A field is missing, damaged or too long.
    #[error("the certificate is malformed")]
    Malformed,
    /// The authority's key is a certificate itself, or of a type that signs none.
    #[error("the key that signed the certificate is of a type that signs none")]
    Authority,
    /// A critical option that we do not know, and so must not pass over.
    #[error("the critical option {0:?} of the certificate is unknown")]
    UnknownOption(String),
    /// An option has a value that makes no sense.
    #[error("the option {0:?} of the certificate cannot be understood")]
    Option(&'static str),
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateKind {
    /// Proves a user to a server.
    User,
    /// Proves a server to its clients.
    Host,
}

/// The critical options of a user's certificate: restrictions, all of which hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CriticalOptions {
    /// `force-command`: the one thing that a connection runs.
    pub force_command: Option<String>,
    /// `source-address`: where the certificate may be used.
    pub source_address: Option<Vec<IpNet>>,
    /// `verify-required`: a security key must have checked a PIN or a finger.
    pub verify_required: bool,
}

/// A certificate as it came: whole, with options that are understood, signed by nobody knows whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    blob: Vec<u8>,
    signed: usize,
    key: PublicKey,
    kind: CertificateKind,
    serial: u64,
    key_id: String,
    principals: Vec<String>,
    valid_after: u64,
    valid_before: u64,
    critical: CriticalOptions,
    no_touch_required: bool,
    authority: PublicKey,
    signature: Vec<u8>,
}

impl Certificate {
    /// The type of the key in certificates of this type, if that is a type of certificates that we know:
    /// `ssh-rsa` for `ssh-rsa-cert-v01@openssh.com`.
    pub fn key_type(name: &[u8]) -> Option<&'static str> {
        let name = name.strip_suffix(b"-cert-v01@openssh.com")?;
        TYPES.into_iter().find(|known| {
            let known = known.strip_suffix("@openssh.com").unwrap_or(known);
            known.as_bytes() == name
        })
    }

    /// Parses a certificate from its wire form.
    ///
    /// # Errors
    /// It is none, or has a critical option that is not understood.
    pub fn from_blob(blob: &[u8]) -> Result<Self, CertificateError> {
        if blob.len() > MAX_CERTIFICATE {
            return Err(CertificateError::Malformed);
        }
        let mut fields = Fields::new(blob);
        let name = fields.string().ok_or(CertificateError::Malformed)?;
        let key_type = Self::key_type(name).ok_or(CertificateError::Type)?;
        let raw = Raw::read(&mut fields, key_type).ok_or(CertificateError::Malformed)?;
        let signed = blob.len() - fields.rest().len();
        let signature = fields.string().ok_or(CertificateError::Malformed)?;
        if !fields.is_empty() {
            return Err(CertificateError::Malformed);
        }
        Ok(Self {
            signed,
            key: PublicKey::from_blob(&raw.key).map_err(|_| CertificateError::Malformed)?,
            kind: raw.kind,
            serial: raw.serial,
            key_id: raw.key_id.to_owned(),
            principals: principals(raw.principals).ok_or(CertificateError::Malformed)?,
            valid_after: raw.valid_after,
            valid_before: raw.valid_before,
            critical: critical_options(raw.critical)?,
            no_touch_required: no_touch_required(raw.extensions)?,
            authority: PublicKey::from_blob(raw.authority)
                .map_err(|_| CertificateError::Authority)?,
            signature: signature.to_vec(),
            blob: blob.to_vec(),
        })
    }

    /// The type of the certificate, such as `ssh-ed25519-cert-v01@openssh.com`.
    pub fn name(&self) -> String {
        let key_type = self.key.algorithm();
        let key_type = key_type.strip_suffix("@openssh.com").unwrap_or(key_type);
        format!("{key_type}-cert-v01@openssh.com")
    }

    /// The certificate in wire form.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The key whose owner the certificate is about.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What it is for.
    pub const fn kind(&self) -> CertificateKind {
        self.kind
    }

    /// The authority's number for it; 0 if it does not number them.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// The authority's name for it: any text.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Whether it names this user. One that names nobody is for nobody.
    pub fn names(&self, username: &str) -> bool {
        self.principals.iter().any(|name| name == username)
    }

    /// Whether it is valid at this time, in seconds since 1970.
    pub const fn is_valid_at(&self, seconds: u64) -> bool {
        self.valid_after <= seconds && seconds < self.valid_before
    }

    /// The restrictions.
    pub const fn critical_options(&self) -> &CriticalOptions {
        &self.critical
    }

    /// The extension `no-touch-required`: signatures of a security key count although nobody touched it.
    pub const fn no_touch_required(&self) -> bool {
        self.no_touch_required
    }

    /// The key that is said to have signed it.
    pub const fn authority(&self) -> &PublicKey {
        &self.authority
    }

    /// What the authority signed.
    pub fn signed(&self) -> &[u8] {
        self.blob.get(..self.signed).unwrap_or_default()
    }

    /// The signature of that, in wire form.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("key", &self.key)
            .field("kind", &self.kind)
            .field("serial", &self.serial)
            .field("key_id", &self.key_id)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

/// The fields that are signed, behind the name.
struct Raw<'a> {
    /// The key in its own wire form.
    key: Vec<u8>,
    serial: u64,
    kind: CertificateKind,
    key_id: &'a str,
    principals: Fields<'a>,
    valid_after: u64,
    valid_before: u64,
    critical: Fields<'a>,
    extensions: Fields<'a>,
    authority: &'a [u8],
}

impl<'a> Raw<'a> {
    fn read(fields: &mut Fields<'a>, key_type: &str) -> Option<Self> {
        let _nonce = fields.string()?;
        let start = fields.rest();
        for _ in 0..fields_of(key_type) {
            fields.string()?;
        }
        let length = start.len() - fields.rest().len();
        let mut key = Vec::with_capacity(4 + key_type.len() + length);
        put_string(&mut key, key_type.as_bytes());
        key.extend_from_slice(start.get(..length)?);
        Some(Self {
            key,
            serial: fields.u64()?,
            kind: match fields.u32()? {
                1 => CertificateKind::User,
                2 => CertificateKind::Host,
                _ => return None,
            },
            key_id: fields.text()?,
            principals: fields.nested()?,
            valid_after: fields.u64()?,
            valid_before: fields.u64()?,
            critical: fields.nested()?,
            extensions: fields.nested()?,
            authority: {
                let _reserved = fields.string()?;
                fields.string()?
            },
        })
    }
}

/// How many fields follow the name in a key of this type; numbers look like strings.
fn fields_of(key_type: &str) -> usize {
    match key_type {
        "ssh-ed25519" => 1,
        "sk-ecdsa-sha2-nistp256@openssh.com" => 3,
        // RSA, ECDSA, and Ed25519 in a security key.
        _ => 2,
    }
}

fn principals(mut fields: Fields<'_>) -> Option<Vec<String>> {
    let mut principals = Vec::new();
    while !fields.is_empty() {
        principals.push(fields.text()?.to_owned());
        if principals.len() > MAX_PRINCIPALS {
            return None;
        }
    }
    Some(principals)
}

fn critical_options(mut fields: Fields<'_>) -> Result<CriticalOptions, CertificateError> {
    let mut options = CriticalOptions::default();
    while !fields.is_empty() {
        let name = fields.text().ok_or(CertificateError::Malformed)?;
        let mut data = fields.nested().ok_or(CertificateError::Malformed)?;
        let is_first = match name {
            "force-command" => {
                let command = data.text();
                let command = command.ok_or(CertificateError::Option("force-command"))?;
                let command = command.to_owned();
                options.force_command.replace(command).is_none()
            }
            "source-address" => {
                let list = data.text().and_then(networks);
                let list = list.ok_or(CertificateError::Option("source-address"))?;
                options.source_address.replace(list).is_none()
            }
            "verify-required" => !std::mem::replace(&mut options.verify_required, true),
            unknown => {
                let name = unknown.chars().filter(|c| !c.is_control()).take(64);
                return Err(CertificateError::UnknownOption(name.collect()));
            }
        };
        if !is_first || !data.is_empty() {
            return Err(CertificateError::Malformed);
        }
    }
    Ok(options)
}

/// Extensions allow something; those that are unknown, or about what is not served, allow nothing.
fn no_touch_required(mut fields: Fields<'_>) -> Result<bool, CertificateError> {
    let mut found = false;
    while !fields.is_empty() {
        let name = fields.string().ok_or(CertificateError::Malformed)?;
        let data = fields.string().ok_or(CertificateError::Malformed)?;
        if name == b"no-touch-required" {
            if !data.is_empty() {
                return Err(CertificateError::Option("no-touch-required"));
            }
            found = true;
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests;
