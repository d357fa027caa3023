//! [`Grant`]: what an account allows to whoever has a key, with or without a certificate.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sftpgo_model::public_key::{ExpiryTime, KeyOptions};
use sftpgo_model::{PublicKey, StoredKey, UnixMillis, UserRecord};

use super::certificate::{self, Use};
use super::offered::{OfferedKey, VerifiedKey};
use super::trust::{KeyTrust, Trusted};
use crate::auth::error::AuthError;
use crate::auth::factor::Restrictions;

/// What a front end can run in place of whatever a client asks for.
pub trait ForcedCommands: fmt::Debug + Send + Sync {
    /// Whether it can run this command, as `force-command` of a certificate or `command=` of a key has it.
    fn serve(&self, command: &str) -> bool;
}

/// What there is to decide by, beside the account and the key.
#[derive(Debug)]
pub(in crate::auth) struct Granting<'a> {
    trusted: Arc<Trusted>,
    address: IpAddr,
    now: UnixMillis,
    commands: Option<&'a dyn ForcedCommands>,
}

/// Leave to log in, for whoever has the private half of the key; before that is proved it means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::auth) struct Grant {
    /// How the log calls what was used.
    pub(in crate::auth) detail: String,
    /// What it allows less than the account.
    pub(in crate::auth) restrictions: Restrictions,
    no_touch_required: bool,
    verify_required: bool,
}

impl<'a> Granting<'a> {
    /// For a login from `address`, now. Where there are no `commands`, nothing can be forced.
    pub(in crate::auth) fn new(
        trust: &KeyTrust,
        address: IpAddr,
        commands: Option<&'a dyn ForcedCommands>,
    ) -> Self {
        Self {
            trusted: trust.now(),
            address,
            now: UnixMillis::now(),
            commands,
        }
    }

    /// Looks for what lets a key in: a certificate of an authority that is trusted, or a key of the account.
    ///
    /// # Errors
    /// Nothing does.
    pub(in crate::auth) fn grant(
        &self,
        record: &UserRecord,
        offered: &OfferedKey,
    ) -> Result<Grant, AuthError> {
        if self.trusted.has_revoked(offered) {
            return Err(AuthError::wrong("the key or its certificate was revoked"));
        }
        let grant = match offered.certificate() {
            Some(certificate) if self.trusted.trusts(certificate.authority()) => self
                .by_certificate(record, offered, None)
                .or_else(|refused| self.by_stored(record, offered, Some(refused))),
            Some(_) | None => self.by_stored(record, offered, None),
        }?;
        if let Some(command) = grant.restrictions.forced_command()
            && !self.commands.is_some_and(|served| served.serve(command))
        {
            let reason = "the command that the key or the certificate forces is not served";
            return Err(AuthError::not_allowed(reason));
        }
        Ok(grant)
    }

    /// By what the account stores: the key itself, or the authority of the certificate. If several lines have it, the first
    /// that allows the login counts; `refused` is why something else did not.
    fn by_stored(
        &self,
        record: &UserRecord,
        offered: &OfferedKey,
        mut refused: Option<AuthError>,
    ) -> Result<Grant, AuthError> {
        let wanted = offered
            .certificate()
            .map_or(offered.key(), |certificate| certificate.authority());
        for value in &record.public_keys {
            // Several in one were stored by the reference, and by hand.
            let stored = StoredKey::parse_all(value).map_err(|error| {
                AuthError::unavailable(format!("a stored public key is broken: {error}"))
            })?;
            for stored in stored.iter().filter(|stored| stored.key.same_key(wanted)) {
                match self.by_line(record, offered, stored) {
                    Ok(grant) => return Ok(grant),
                    Err(error) => refused = Some(error),
                }
            }
        }
        Err(refused.unwrap_or_else(|| match offered.certificate() {
            Some(_) => AuthError::wrong("the authority of the certificate is not trusted"),
            None => AuthError::wrong("the public key is not one of the user's"),
        }))
    }

    /// By a line that has the key, or the authority of the certificate.
    fn by_line(
        &self,
        record: &UserRecord,
        offered: &OfferedKey,
        stored: &StoredKey,
    ) -> Result<Grant, AuthError> {
        let options = stored.options.as_ref().map_err(|error| {
            AuthError::not_allowed(format!("the options of the stored public key: {error}"))
        })?;
        // A key that signs certificates does not log in, and one that logs in signs none.
        if options.cert_authority != offered.certificate().is_some() {
            let reason = "the stored public key is not for this use";
            return Err(AuthError::wrong(reason));
        }
        self.check(options)?;
        if offered.certificate().is_some() {
            return self.by_certificate(record, offered, Some(options));
        }
        Ok(Grant {
            detail: describe(&stored.key),
            restrictions: Restrictions::new(None, options.command.clone()),
            no_touch_required: options.no_touch_required,
            verify_required: options.verify_required,
        })
    }

    /// By a certificate whose authority is trusted: for this account, with these options, or for every one.
    fn by_certificate(
        &self,
        record: &UserRecord,
        offered: &OfferedKey,
        options: Option<&KeyOptions>,
    ) -> Result<Grant, AuthError> {
        let Some(certificate) = offered.certificate() else {
            return Err(AuthError::wrong("there is no certificate"));
        };
        let username = record.username.as_str();
        let principals: Vec<&str> = match options.and_then(|options| options.principals.as_ref()) {
            Some(principals) => principals.iter().map(String::as_str).collect(),
            None => vec![username],
        };
        let used = Use {
            principals: &principals,
            address: self.address,
            now: u64::try_from(self.now.0 / 1000).unwrap_or(0),
        };
        let mut restrictions = certificate::check(certificate, used)?;
        let critical = certificate.critical_options();
        let mut grant = Grant {
            detail: certificate::describe(certificate),
            restrictions: Restrictions::default(),
            no_touch_required: certificate.no_touch_required(),
            verify_required: critical.verify_required,
        };
        if let Some(options) = options {
            restrictions.restrict(&Restrictions::new(None, options.command.clone()));
            restrictions.check(self.address)?;
            // Both must do without it, and either may ask for it.
            grant.no_touch_required &= options.no_touch_required;
            grant.verify_required |= options.verify_required;
        }
        grant.restrictions = restrictions;
        Ok(grant)
    }

    /// The options that say from where and until when.
    fn check(&self, options: &KeyOptions) -> Result<(), AuthError> {
        let from = options.from.as_ref();
        if from.is_some_and(|from| !from.allow(self.address)) {
            let reason = "the address is not allowed by \"from\" of the stored public key";
            return Err(AuthError::not_allowed(reason));
        }
        if options.expires.is_some_and(|at| has_passed(at, self.now)) {
            let reason = "the stored public key has expired, by its \"expiry-time\"";
            return Err(AuthError::not_allowed(reason));
        }
        Ok(())
    }
}

impl Grant {
    /// Whether the signature shows what the key has to: that somebody touched it, or was checked by it.
    ///
    /// # Errors
    /// It does not.
    pub(in crate::auth) fn check_touch(&self, key: &VerifiedKey) -> Result<(), AuthError> {
        let touch = key.touch();
        if touch.is_some_and(|touch| !touch.is_present()) && !self.no_touch_required {
            let reason = "nobody touched the security key";
            return Err(AuthError::wrong(reason));
        }
        if self.verify_required && !touch.is_some_and(|touch| touch.is_verified()) {
            let reason = "no security key has verified its user, which is required";
            return Err(AuthError::wrong(reason));
        }
        Ok(())
    }
}

/// How logs call a key: its fingerprint, and its name behind a colon (reference 9.2).
fn describe(key: &PublicKey) -> String {
    format!("{}:{}", key.fingerprint(), key.comment())
}

/// Whether a time has come. One that no calendar has is over; the last days of the year 9999, beyond our clock, never come.
pub(super) fn has_passed(time: ExpiryTime, now: UnixMillis) -> bool {
    let small = |number: u8| i8::try_from(number).ok();
    let date = || {
        let year = i16::try_from(time.year).ok()?;
        let (month, day) = (small(time.month)?, small(time.day)?);
        let (hour, minute, second) = (small(time.hour)?, small(time.minute)?, small(time.second)?);
        DateTime::new(year, month, day, hour, minute, second, 0).ok()
    };
    let Some(date) = date() else {
        return true;
    };
    let zone = if time.utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    date.to_zoned(zone)
        .is_ok_and(|time| time.timestamp().as_millisecond() <= now.0)
}
