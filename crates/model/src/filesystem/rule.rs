//! The rules of back ends' settings: those about one setting follow from the tables.

use super::field::{BackEnd, Bounds, Field, Kind, TextRule};
use super::{BACK_ENDS, FilesystemConfig};
use crate::path::VirtualPath;
use crate::secret::Secret;
use crate::user::{UserRules, ValidationError};

/// How a certificate in PEM begins (RFC 7468).
const PEM_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

impl FilesystemConfig {
    /// Checks the settings of the back end in use and brings them into their stored form. What is said about others stays, but
    /// for local disks, beside which nothing is kept.
    pub(crate) fn check(&mut self, rules: &UserRules) -> Result<(), ValidationError> {
        let Some(back_end) = self.provider.back_end() else {
            *self = Self::default();
            return Ok(());
        };
        for field in back_end.fields {
            check_field(self, field).map_err(|wrong| {
                ValidationError::new(format!("{}: {} {wrong}", back_end.object, field.name))
            })?;
        }
        (back_end.check)(self, rules)?;
        self.forget_hidden(back_end);
        Ok(())
    }

    /// A secret of a back end that is not in use, in a form that nobody can open, is none.
    fn forget_hidden(&mut self, used: &BackEnd) {
        let others = BACK_ENDS.iter().filter(|of| of.provider != used.provider);
        for field in others.flat_map(|back_end| back_end.fields) {
            if let Some(secret) = field.secret(self)
                && matches!(secret, Secret::Hidden(_))
            {
                *secret = Secret::Empty;
            }
        }
    }
}

/// What is wrong with a value, to be written behind the name of its setting.
fn check_field(config: &mut FilesystemConfig, field: &Field) -> Result<(), String> {
    match &field.kind {
        Kind::Text(at, rule) => {
            let text = at(config);
            if text.is_empty() {
                return if field.required {
                    Err("is missing".to_owned())
                } else {
                    Ok(())
                };
            }
            check_text(text, *rule)
        }
        Kind::Secret(at, _) => match at(config) {
            Secret::Hidden(_) => Err(
                "is in the form of a reply, without its key; take the one of a dump, or the secret itself"
                    .to_owned(),
            ),
            Secret::Empty | Secret::Plain(_) | Secret::Sealed(_) => Ok(()),
        },
        Kind::Number(at, bounds) => check_number(*at(config), bounds),
        Kind::Flag(_) => Ok(()),
        Kind::Switch(at) => {
            let value = at(config);
            *value = i64::from(*value > 0);
            Ok(())
        }
    }
}

fn check_text(text: &mut String, rule: TextRule) -> Result<(), String> {
    match rule {
        TextRule::Any => Ok(()),
        TextRule::KeyPrefix => {
            *text = clean_prefix(text)?;
            Ok(())
        }
        TextRule::Url => {
            let host = ["http://", "https://"]
                .iter()
                .find_map(|scheme| text.strip_prefix(scheme));
            if host.is_some_and(|host| !host.is_empty()) {
                Ok(())
            } else {
                Err("is not a URL, such as https://store.example.com".to_owned())
            }
        }
        TextRule::Certificates => {
            if text.contains(PEM_CERTIFICATE) {
                Ok(())
            } else {
                Err(format!("holds no certificate in PEM ({PEM_CERTIFICATE})"))
            }
        }
        TextRule::OneOf(choices) => {
            if choices.contains(&text.as_str()) {
                Ok(())
            } else {
                Err(format!("is one of {}, or empty", choices.join(", ")))
            }
        }
    }
}

fn check_number(number: i64, bounds: &Bounds) -> Result<(), String> {
    let Bounds {
        least,
        most,
        usual,
        unit,
    } = *bounds;
    if number == 0 || (least..=most).contains(&number) {
        return Ok(());
    }
    let of = if unit.is_empty() {
        String::new()
    } else {
        format!("in {unit}, ")
    };
    Err(format!("is {of}from {least} to {most}, or 0 for {usual}"))
}

fn clean_prefix(prefix: &str) -> Result<String, String> {
    if prefix.starts_with('/') {
        return Err("must not start with /".to_owned());
    }
    let clean = VirtualPath::parse(prefix.as_bytes())
        .map_err(|error| error.to_string())?
        .to_storage();
    Ok(if clean.is_root() {
        String::new()
    } else {
        format!("{}/", String::from_utf8_lossy(clean.as_bytes()))
    })
}
