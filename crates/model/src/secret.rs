//! Secrets of back ends: never printed, sealed at rest, hidden in replies (reference 16.5).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

const SEALED_PREFIX: &str = "$aes$";

/// A secret value in one of the forms it travels in. `Debug` prints the form only.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Secret {
    /// There is none.
    #[default]
    Empty,
    /// As an administrator typed it; must be sealed before it is stored.
    Plain(Zeroizing<String>),
    /// As it is stored: `$aes$<key>$<data>`.
    Sealed(String),
    /// As it is shown: `$aes$<data>`, the key part removed. Cannot be opened.
    Hidden(String),
}

impl Secret {
    /// Tells the form from the text: three `$`-parts after the prefix are sealed or hidden, all else is plain.
    pub fn from_text(text: &str) -> Self {
        if text.is_empty() {
            return Self::Empty;
        }
        match (text.starts_with(SEALED_PREFIX), text.split('$').count()) {
            (true, 4) => Self::Sealed(text.to_owned()),
            (true, 3) => Self::Hidden(text.to_owned()),
            _ => Self::Plain(Zeroizing::new(text.to_owned())),
        }
    }

    /// The form for replies: a sealed secret loses its key, a plain one everything.
    pub fn to_hidden(&self) -> Self {
        match self {
            Self::Sealed(text) => {
                let data = text.rsplit('$').next().unwrap_or_default();
                Self::Hidden(format!("{SEALED_PREFIX}{data}"))
            }
            Self::Hidden(text) => Self::Hidden(text.clone()),
            Self::Plain(_) | Self::Empty => Self::Empty,
        }
    }

    /// Whether `text` is what replies show of it. What they show of none is nothing.
    pub fn is_shown_as(&self, text: &str) -> bool {
        matches!(self.to_hidden(), Self::Hidden(shown) if shown == text)
    }

    /// Whether there is no secret.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Secret::Empty",
            Self::Plain(_) => "Secret::Plain(..)",
            Self::Sealed(_) => "Secret::Sealed(..)",
            Self::Hidden(_) => "Secret::Hidden(..)",
        })
    }
}

impl Serialize for Secret {
    /// Deliberately never writes a plain secret: whoever stores a record seals it first.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_str(""),
            Self::Sealed(text) | Self::Hidden(text) => serializer.serialize_str(text),
            Self::Plain(_) => Err(serde::ser::Error::custom(
                "a plain secret must be sealed before it is written",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_text(&Zeroizing::new(String::deserialize(
            deserializer,
        )?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_json_never_show_a_plain_secret() {
        let secret = Secret::from_text("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(serde_json::to_string(&secret).is_err());
        assert_eq!(secret.to_hidden(), Secret::Empty);
    }

    #[test]
    fn hiding_removes_the_key_part() {
        let sealed = Secret::from_text("$aes$0123$abcd");
        assert_eq!(sealed.to_hidden(), Secret::Hidden("$aes$abcd".to_owned()));
        assert_eq!(
            Secret::from_text("$aes$abcd"),
            Secret::Hidden("$aes$abcd".to_owned())
        );
        assert!(sealed.is_shown_as("$aes$abcd") && !sealed.is_shown_as("$aes$0123$abcd"));
        assert!(!Secret::Empty.is_shown_as(""));
    }
}
