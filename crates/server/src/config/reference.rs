//! Writes `docs/configuration.md` from the documented settings structs.

use std::fmt::Write as _;

use super::environment::variable_for;
use super::shape::{Kind, Setting, Shape};

const INTRODUCTION: &str = include_str!("reference.md");

/// The page of all settings, in Markdown.
#[must_use]
pub fn reference_page() -> String {
    let shape = Shape::of_config();
    let mut page = INTRODUCTION.to_owned();
    let mut section = "";
    for setting in shape.settings() {
        let of = setting.key.split('.').next().unwrap_or_default();
        if of != section {
            section = of;
            let _ = write!(
                page,
                "\n## `{section}`\n\n| Key | Kind | Default | Meaning |\n|---|---|---|---|\n"
            );
        }
        row(&mut page, setting);
    }
    page
}

fn row(page: &mut String, setting: &Setting) {
    let Setting {
        key,
        kind,
        default,
        description,
        ..
    } = setting;
    let kind_text = match kind {
        Kind::Integer { .. } => "number".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Texts => "list".to_owned(),
        Kind::Groups(settings) => {
            let keys: Vec<String> = settings.iter().map(|s| format!("`{}`", s.key)).collect();
            format!("list of groups of {}", keys.join(", "))
        }
    };
    let description = description.replace('|', "\\|");
    let variable = match kind {
        Kind::Groups(settings) => settings
            .iter()
            .map(|inner| variable_for(&format!("{key}.0.{}", inner.key)))
            .collect::<Vec<_>>()
            .join("`, `"),
        Kind::Integer { .. } | Kind::Text | Kind::Bool | Kind::Texts => variable_for(key),
    };
    // Writing into a string cannot fail.
    let _ = writeln!(
        page,
        "| `{key}`<br>`{variable}` | {kind_text} | `{default}` | {description} |"
    );
}
