//! The report: a list for people, JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sftpgo_import::Note;

use super::host_keys::TakenKey;
use super::plan::{Action, Planned};
use crate::app::AppError;
use crate::app::output::plain;

/// All that there is to say.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) dry_run: bool,
    pub(super) users: &'a [Planned],
    pub(super) notes: &'a [Note],
    pub(super) keys: &'a [TakenKey],
}

impl Report<'_> {
    /// A line for each user, with lines below it for what is not as it was.
    pub(super) fn text(&self) -> String {
        let names = self.users.iter().map(|user| plain(&user.name));
        let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for user in self.users {
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "{:width$}  {:9}  {}",
                plain(&user.name),
                word(&user.action),
                plain(&detail(user))
            );
            notes(&mut text, &user.notes);
        }
        if !self.notes.is_empty() {
            let _ = writeln!(text, "Beside users:");
            notes(&mut text, self.notes);
        }
        for key in self.keys {
            let _ = writeln!(text, "host key  {}", plain(&key.sentence()));
        }
        if !self.users.is_empty() || self.keys.is_empty() {
            let _ = writeln!(text, "{}", self.summary());
        }
        if self.dry_run {
            let _ = writeln!(text, "Nothing was changed (--dry-run)");
        }
        text
    }

    fn count(&self, is_one: impl Fn(&Planned) -> bool) -> usize {
        self.users.iter().filter(|user| is_one(user)).count()
    }

    fn disabled(&self) -> usize {
        self.count(|user| {
            let is_written = matches!(user.action, Action::Add | Action::Change(_));
            is_written && user.user.as_ref().is_some_and(|record| record.status == 0)
        })
    }

    fn summary(&self) -> String {
        let count = |name: &str| self.count(|user| word(&user.action) == name);
        format!(
            "{} new ({} of the new and changed ones disabled), {} changed, {} unchanged, {} left as they were, {} not \
             possible",
            count("new"),
            self.disabled(),
            count("changed"),
            count("unchanged"),
            count("kept"),
            count("cannot"),
        )
    }

    /// One value on one line.
    pub(super) fn json(&self) -> Result<String, AppError> {
        let count = |name: &str| self.count(|user| word(&user.action) == name);
        let report = json!({
            "dry_run": self.dry_run,
            "users": self.users.iter().map(user_json).collect::<Vec<_>>(),
            "notes": self.notes.iter().map(note_json).collect::<Vec<_>>(),
            "host_keys": self.keys.iter().map(TakenKey::json).collect::<Vec<_>>(),
            "summary": {
                "new": count("new"),
                "changed": count("changed"),
                "unchanged": count("unchanged"),
                "kept": count("kept"),
                "cannot": count("cannot"),
                "disabled": self.disabled(),
            },
        });
        let text = serde_json::to_string(&report);
        text.map(|text| text + "\n").map_err(AppError::new)
    }
}

fn notes(text: &mut String, notes: &[Note]) {
    for note in notes {
        let (effect, about) = (note.effect.as_str(), plain(&note.about));
        let _ = writeln!(text, "    {about} ({effect}): {}", plain(&note.text));
    }
}

fn word(action: &Action) -> &'static str {
    match action {
        Action::Add => "new",
        Action::Change(_) => "changed",
        Action::Same => "unchanged",
        Action::Keep => "kept",
        Action::Cannot(_) => "cannot",
    }
}

fn detail(user: &Planned) -> String {
    let home = user.user.as_ref().map(|record| record.home_dir.clone());
    match &user.action {
        Action::Change(fields) => fields.join(", "),
        Action::Cannot(reason) => reason.clone(),
        Action::Add | Action::Same | Action::Keep => home.unwrap_or_default(),
    }
}

fn user_json(user: &Planned) -> Value {
    let (fields, reason) = match &user.action {
        Action::Change(fields) => (fields.as_slice(), None),
        Action::Cannot(reason) => (&[][..], Some(reason)),
        Action::Add | Action::Same | Action::Keep => (&[][..], None),
    };
    json!({
        "username": user.name,
        "action": word(&user.action),
        "fields": fields,
        "reason": reason,
        "home_dir": user.user.as_ref().map(|record| &record.home_dir),
        "status": user.user.as_ref().map(|record| record.status),
        "public_keys": user.user.as_ref().map(|record| record.public_keys.len()),
        "notes": user.notes.iter().map(note_json).collect::<Vec<_>>(),
    })
}

fn note_json(note: &Note) -> Value {
    json!({ "effect": note.effect.name(), "about": note.about, "text": note.text })
}
