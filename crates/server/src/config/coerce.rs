//! Weak typing: turns what a file format or the environment can express into the kind that a
//! setting has (reference 2.1).

use serde_json::{Map, Value};

use super::shape::{Kind, Setting};

/// A value that does not fit; the texts complete "key must be ...".
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Key within the setting, for a list of groups: `0.private_key`.
    pub(crate) within: String,
    /// What it must be.
    pub(crate) expected: String,
}

impl Mismatch {
    fn kind(kind: &Kind) -> Self {
        Self {
            within: String::new(),
            expected: kind.describe(),
        }
    }
}

/// `value` as a `kind`, in the one form that the settings structs expect.
pub(crate) fn coerce(value: Value, kind: &Kind) -> Result<Value, Mismatch> {
    match kind {
        Kind::Integer { least, most } => {
            let number = integer(&value).filter(|n| (least..=most).contains(&n));
            number.map(Value::from).ok_or_else(|| Mismatch::kind(kind))
        }
        Kind::Bool => boolean(&value)
            .map(Value::from)
            .ok_or_else(|| Mismatch::kind(kind)),
        Kind::Text => text(value)
            .map(Value::from)
            .ok_or_else(|| Mismatch::kind(kind)),
        Kind::Texts => {
            let texts = elements(value).and_then(|all| all.into_iter().map(text).collect());
            texts
                .map(|all: Vec<String>| all.into())
                .ok_or_else(|| Mismatch::kind(kind))
        }
        Kind::Groups(settings) => {
            let groups = group_elements(value).ok_or_else(|| Mismatch::kind(kind))?;
            let groups = groups
                .into_iter()
                .enumerate()
                .map(|(i, g)| group(i, g, settings));
            groups
                .collect::<Result<Vec<Value>, Mismatch>>()
                .map(Value::from)
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => parse_integer(text.trim()),
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Some formats know one kind of number only.
fn whole(number: f64) -> Option<i64> {
    // Beyond 2^53 a float no longer holds every whole number.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within +-2^53 and without a fraction"
    )]
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Decimal, `0x` hexadecimal, `0o` or leading-zero octal, `0b` binary.
fn parse_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.as_str())
    } else {
        (10, lower.as_str())
    };
    // A second sign would be accepted by the conversion below.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// The spellings of truth that the reference accepts.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => parse_bool(text.trim()),
        Value::Number(_) => match integer(value) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        // A password or a umask made of digits. A fraction is refused: the text it was written
        // as is lost, and YAML reads `0077` as 77.0.
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// The elements of a list that may be written as a list, as `a,b` or with numbers as keys.
fn elements(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        Value::String(text) => {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            Some(parts.map(Value::from).collect())
        }
        Value::Object(object) => indexed(object),
        Value::Number(_) => Some(vec![value]),
        Value::Null | Value::Bool(_) => None,
    }
}

/// As [`elements`], for groups: one group alone is a list of one (an HCL block).
fn group_elements(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        Value::Object(object) if object.keys().all(|key| key.parse::<usize>().is_ok()) => {
            indexed(object)
        }
        Value::Object(object) => Some(vec![Value::Object(object)]),
        Value::String(text) if text.is_empty() => Some(Vec::new()),
        Value::String(_) | Value::Number(_) | Value::Null | Value::Bool(_) => None,
    }
}

/// `{"0": a, "1": b}` as a list; `None` if a number is missing.
fn indexed(mut object: Map<String, Value>) -> Option<Vec<Value>> {
    let count = object.len();
    (0..count)
        .map(|index| object.remove(&index.to_string()))
        .collect()
}

fn group(index: usize, value: Value, settings: &[Setting]) -> Result<Value, Mismatch> {
    let Value::Object(object) = value else {
        let keys: Vec<&str> = settings
            .iter()
            .map(|setting| setting.key.as_str())
            .collect();
        let expected = format!("a group of {}", keys.join(", "));
        return Err(Mismatch {
            within: index.to_string(),
            expected,
        });
    };
    let mut group = Map::new();
    for (name, value) in object {
        let within = format!("{index}.{name}");
        let lower = name.to_lowercase();
        let Some(setting) = settings.iter().find(|setting| setting.key == lower) else {
            let keys: Vec<&str> = settings
                .iter()
                .map(|setting| setting.key.as_str())
                .collect();
            return Err(Mismatch {
                within,
                expected: format!("one of {}", keys.join(", ")),
            });
        };
        let value = coerce(value, &setting.kind).map_err(|mismatch| Mismatch {
            within,
            expected: mismatch.expected,
        })?;
        group.insert(lower, value);
    }
    Ok(Value::Object(group))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shape::Shape;
    use serde_json::json;

    const PORT: Kind = Kind::Integer {
        least: 0,
        most: 65535,
    };

    #[test]
    fn numbers_may_be_written_in_several_ways() {
        for value in [
            json!(2022),
            json!(2022.0),
            json!("2022"),
            json!("0x7e6"),
            json!("03746"),
        ] {
            assert_eq!(coerce(value.clone(), &PORT), Ok(json!(2022)), "{value}");
        }
        let any = Kind::Integer {
            least: i64::MIN,
            most: i64::MAX,
        };
        assert_eq!(coerce(json!("-0x10"), &any), Ok(json!(-16)));
        assert_eq!(coerce(json!("0"), &any), Ok(json!(0)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let wrong = [
            json!(""),
            json!("x"),
            json!(1.5),
            json!("--1"),
            json!("0x"),
            json!([1]),
        ];
        for value in wrong
            .into_iter()
            .chain([json!(-1), json!(65536), json!("0x+1")])
        {
            assert!(coerce(value.clone(), &PORT).is_err(), "{value}");
        }
    }

    #[test]
    fn booleans_accept_the_usual_spellings() {
        for value in [json!(true), json!(1), json!("1"), json!("t"), json!("TRUE")] {
            assert_eq!(coerce(value, &Kind::Bool), Ok(json!(true)));
        }
        for value in [json!("yes"), json!(2), json!(""), json!([])] {
            assert!(coerce(value, &Kind::Bool).is_err());
        }
    }

    #[test]
    fn a_list_may_be_comma_separated_or_indexed() {
        for value in [
            json!(["a", "b"]),
            json!("a, b,"),
            json!({"1": "b", "0": "a"}),
        ] {
            assert_eq!(coerce(value, &Kind::Texts), Ok(json!(["a", "b"])));
        }
        assert_eq!(coerce(json!(""), &Kind::Texts), Ok(json!([])));
        assert!(
            coerce(json!({"1": "b"}), &Kind::Texts).is_err(),
            "index 0 is missing"
        );
        assert!(coerce(json!([["a"]]), &Kind::Texts).is_err());
    }

    #[test]
    fn groups_may_be_one_block_several_blocks_or_indexed() {
        let keys = Shape::of_config().find("sftpd.keys").unwrap().kind.clone();
        let one = json!([{"private_key": "a"}]);
        assert_eq!(coerce(json!({"Private_Key": "a"}), &keys), Ok(one.clone()));
        assert_eq!(
            coerce(json!({"0": {"private_key": "a"}}), &keys),
            Ok(one.clone())
        );
        assert_eq!(coerce(one.clone(), &keys), Ok(one));
        assert_eq!(coerce(json!(""), &keys), Ok(json!([])));
        let wrong = coerce(json!([{"private_key": "a"}, {"prviate_key": "b"}]), &keys);
        assert_eq!(wrong.unwrap_err().within, "1.prviate_key");
        assert!(coerce(json!("a,b"), &keys).is_err());
    }
}
