//! The checks of a user's certificate (OpenSSH's PROTOCOL.certkeys; sshd(8), `TrustedUserCAKeys`).

use std::net::IpAddr;

use sftpgo_model::Certificate;
use sftpgo_model::public_key::CertificateKind;

use super::algorithm::SignatureAlgorithm;
use super::signature::Signature;
use super::trust::may_be_authority;
use crate::auth::error::AuthError;
use crate::auth::factor::Restrictions;

/// Longest part of a certificate's own name that logs show.
const SHOWN_ID: usize = 64;

/// What a certificate is used for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    /// Whom it has to name: one of these.
    pub(super) principals: &'a [&'a str],
    /// From where it is used.
    pub(super) address: IpAddr,
    /// Seconds since 1970.
    pub(super) now: u64,
}

/// Checks a certificate, whose authority the caller trusts: that this authority has signed it, for users, for one of these
/// principals, for now, and what its options ask for. What of that goes on to hold for the login is given back.
///
/// # Errors
/// It is not good for this.
pub(super) fn check(certificate: &Certificate, used: Use<'_>) -> Result<Restrictions, AuthError> {
    if certificate.kind() != CertificateKind::User {
        return Err(AuthError::wrong("the certificate is not one of a user"));
    }
    let authority = certificate.authority();
    if !may_be_authority(authority) {
        let reason = "the key that signed the certificate cannot be an authority";
        return Err(AuthError::wrong(reason));
    }
    if !is_signed(certificate) {
        let reason =
            "the signature of the certificate is wrong, or of an algorithm that is not accepted";
        return Err(AuthError::wrong(reason));
    }
    if !certificate.is_valid_at(used.now) {
        let reason = "the certificate has expired, or is not valid yet";
        return Err(AuthError::wrong(reason));
    }
    if !used.principals.iter().any(|name| certificate.names(name)) {
        let reason = "the certificate does not name the user";
        return Err(AuthError::wrong(reason));
    }
    let options = certificate.critical_options();
    let restrictions = Restrictions::new(
        options.source_address.clone(),
        options.force_command.clone(),
    );
    restrictions.check(used.address)?;
    Ok(restrictions)
}

/// Whether the authority that the certificate names has signed it. The algorithms are those for logins: no DSA. And no SHA-1
/// whatever is accepted of users: who finds two texts with one hash makes a certificate of the one that was not signed.
fn is_signed(certificate: &Certificate) -> bool {
    let signed = || {
        let signature = Signature::parse(certificate.signature())?;
        if signature.algorithm == SignatureAlgorithm::RsaSha1 {
            return None;
        }
        let material = certificate.authority().material().ok()?;
        signature.verify(&material, certificate.signed())
    };
    // With an authority in a security key somebody was there when it signed.
    signed().is_some_and(|signed| signed.touch.is_none_or(|touch| touch.is_present()))
}

/// How logs call a certificate; its name is somebody's text, and so is made harmless and short.
pub(super) fn describe(certificate: &Certificate) -> String {
    let id: String = certificate.key_id().chars().take(SHOWN_ID).collect();
    format!(
        "{} CA {} serial {} id {id:?}",
        certificate.key().fingerprint(),
        certificate.authority().fingerprint(),
        certificate.serial(),
    )
}
