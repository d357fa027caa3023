//! The part of an account's form that is about object stores. What fields there are, and what they are called, is in the tables
//! of the back ends.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use serde::Serialize;
use sftpgo_core::model::FilesystemConfig;
use sftpgo_core::model::filesystem::{BACK_ENDS, BackEnd, Field, Kind, SecretFrom, TextRule};
use zeroize::Zeroizing;

use super::form::Form;
use super::user_form::Shown;
use super::user_mistake::Mistake;

/// Behind the name of a secret's field: the box that gives up what is stored.
const FORGET: &str = "_forget";

/// What was sent of secrets, and which fields were sent at all.
///
/// Deliberately without `Debug`.
#[derive(Default)]
pub(super) struct StorageForm {
    pub(super) present: BTreeSet<&'static str>,
    pub(super) secrets: BTreeMap<&'static str, Zeroizing<String>>,
    pub(super) files: BTreeMap<&'static str, Bytes>,
}

fn fields() -> impl Iterator<Item = &'static Field> {
    BACK_ENDS.iter().flat_map(|back_end| back_end.fields)
}

fn is_secret(field: &Field) -> bool {
    matches!(field.kind, Kind::Secret(..))
}

/// What fields show of an account.
pub(super) fn shown(config: &FilesystemConfig) -> Vec<(&'static str, String)> {
    let mut config = config.clone();
    let fields = fields().filter(|field| !is_secret(field));
    fields
        .map(|field| (field.form, field.shown(&mut config)))
        .collect()
}

/// What somebody sent in fields that may be shown again.
pub(super) fn sent(form: &Form) -> Vec<(&'static str, String)> {
    let fields = fields().filter(|field| !is_secret(field));
    let text = |field: &Field| match field.kind {
        // The box of the page follows on a field of its name, which tells that it was there.
        Kind::Flag(_) | Kind::Switch(_) => {
            let yes = form.texts(field.form).any(|text| !text.is_empty());
            if yes { "true" } else { "" }.to_owned()
        }
        Kind::Text(..) | Kind::Number(..) | Kind::Secret(..) => {
            form.text(field.form).trim().to_owned()
        }
    };
    fields.map(|field| (field.form, text(field))).collect()
}

/// The secrets whose box was ticked.
pub(super) fn forgotten(form: &Form) -> BTreeSet<&'static str> {
    let is_ticked = |field: &&Field| {
        let name = format!("{}{FORGET}", field.form);
        is_secret(field) && !form.text(&name).is_empty()
    };
    fields().filter(is_ticked).map(|field| field.form).collect()
}

impl StorageForm {
    /// What somebody sent.
    pub(super) fn sent(form: &Form) -> Self {
        let mut sent = Self::default();
        for field in fields() {
            if form.sent_text(field.form).is_some() {
                sent.present.insert(field.form);
            }
            if is_secret(field) {
                let typed = Zeroizing::new(form.text(field.form).to_owned());
                sent.secrets.insert(field.form, typed);
            }
            if let Some(file) = form.file(field.form) {
                sent.files.insert(field.form, file.clone());
            }
        }
        sent
    }

    /// Lays the fields of `back_end` over what is stored. Secrets that nobody typed stay, unless they are to be forgotten; so
    /// do fields that were not sent, but for those of the reference's form. What is stored for other back ends goes.
    pub(super) fn lay_over(
        &self,
        shown: &Shown,
        back_end: &'static BackEnd,
        stored: &FilesystemConfig,
        mistakes: &mut Vec<Mistake>,
    ) -> FilesystemConfig {
        let before = if stored.provider == back_end.provider {
            of_one(stored, back_end)
        } else {
            FilesystemConfig {
                provider: back_end.provider,
                ..FilesystemConfig::default()
            }
        };
        let mut config = before.clone();
        for field in back_end.fields {
            let new = match self.new_text(shown, field) {
                Ok(Some(new)) => new,
                Ok(None) => continue,
                Err(wrong) => {
                    mistakes.push(Mistake::of(field.form, wrong));
                    continue;
                }
            };
            if let Err(wrong) = field.set(&mut config, &new) {
                mistakes.push(Mistake::of(field.form, wrong));
            }
        }
        (back_end.settle)(&before, &mut config);
        config
    }

    /// `None` if the field stays what it is.
    fn new_text(&self, shown: &Shown, field: &Field) -> Result<Option<Zeroizing<String>>, String> {
        let new = |text: &str| Ok(Some(Zeroizing::new(text.to_owned())));
        if !is_secret(field) {
            if !field.in_reference_form && !self.present.contains(field.form) {
                return Ok(None);
            }
            return new(shown.texts.get(field.form).map_or("", String::as_str));
        }
        if let Some(file) = self.files.get(field.form) {
            let text = std::str::from_utf8(file).map_err(|_| "the file is not text".to_owned())?;
            if text.is_empty() {
                return Err("the file is empty".to_owned());
            }
            return new(text);
        }
        match self.secrets.get(field.form) {
            Some(typed) if !typed.is_empty() => Ok(Some(typed.clone())),
            Some(_) | None if shown.forgotten.contains(field.form) => new(""),
            Some(_) | None => Ok(None),
        }
    }
}

/// The settings of one back end, without those of others.
fn of_one(stored: &FilesystemConfig, back_end: &BackEnd) -> FilesystemConfig {
    let mut config = stored.clone();
    let others = BACK_ENDS.iter();
    let others = others.filter(|other| other.provider != back_end.provider);
    for field in others.flat_map(|other| other.fields) {
        field.clear(&mut config);
    }
    config
}

/// A back end, as the template of the form shows it.
#[derive(Serialize)]
pub(super) struct Section {
    number: String,
    title: &'static str,
    fields: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    label: String,
    help: String,
    /// Which element it is.
    element: &'static str,
    /// Of a choice, all there are beside none.
    options: &'static [&'static str],
    /// Of a number.
    most: i64,
    /// Whether there is a secret.
    is_stored: bool,
}

/// Every back end, with what is stored of the account.
pub(super) fn sections(stored: &FilesystemConfig) -> Vec<Section> {
    let mut stored = stored.clone();
    let section = |back_end: &'static BackEnd| Section {
        number: back_end.provider.number().to_string(),
        title: back_end.title,
        fields: back_end
            .fields
            .iter()
            .map(|field| row(field, &mut stored))
            .collect(),
    };
    BACK_ENDS.iter().map(section).collect()
}

fn row(field: &'static Field, stored: &mut FilesystemConfig) -> Row {
    let mut row = Row {
        name: field.form,
        label: field.label.to_owned(),
        help: field.help.to_owned(),
        element: "text",
        options: &[],
        most: 0,
        is_stored: field
            .secret(stored)
            .is_some_and(|secret| !secret.is_empty()),
    };
    match &field.kind {
        Kind::Text(_, TextRule::Any | TextRule::KeyPrefix | TextRule::Url) => {}
        Kind::Text(_, TextRule::Certificates) => row.element = "area",
        Kind::Text(_, TextRule::OneOf(choices)) => {
            row.element = "choice";
            row.options = choices;
        }
        Kind::Secret(_, from) => {
            row.element = match from {
                SecretFrom::Text => "secret",
                SecretFrom::File => "file",
            };
            row.help += if row.is_stored {
                " Leave it empty to keep the one there is."
            } else {
                " Stored encrypted, never shown."
            };
        }
        Kind::Number(_, bounds) => {
            row.element = "number";
            row.most = bounds.most;
            if !bounds.unit.is_empty() {
                row.label += ", ";
                row.label += bounds.unit;
            }
            row.help += &format!(
                " From {} to {}; 0 means {}.",
                bounds.least, bounds.most, bounds.usual
            );
        }
        Kind::Flag(_) | Kind::Switch(_) => row.element = "check",
    }
    row
}
