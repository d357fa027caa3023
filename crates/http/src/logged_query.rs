//! The query of a request as the log has it: without what looks like a secret.
//!
//! No route takes a secret in its query. But clients err: a form that is sent with GET, say, puts a password there, and a log
//! is read by more people than may know it.

use std::borrow::Cow;

/// Parts of names whose values are not for the log, in lower case.
const SECRET: [&str; 5] = ["pass", "secret", "token", "credential", "auth"];
/// What stands in their place.
const HIDDEN: &str = "***";

/// A request target with the values hidden that a parameter of such a name has.
pub(crate) fn without_secrets(target: &str) -> Cow<'_, str> {
    let Some((path, query)) = target.split_once('?') else {
        return Cow::Borrowed(target);
    };
    if !query.split('&').any(is_secret) {
        return Cow::Borrowed(target);
    }
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(pair) => format!("{name}={HIDDEN}"),
        Some(_) | None => pair.to_owned(),
    });
    Cow::Owned(format!("{path}?{}", shown.collect::<Vec<_>>().join("&")))
}

fn is_secret(pair: &str) -> bool {
    let Some((name, _)) = pair.split_once('=') else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_names_that_look_like_secrets_are_hidden() {
        for (target, shown) in [
            ("/a", "/a"),
            ("/a?", "/a?"),
            ("/a?b=c&d", "/a?b=c&d"),
            ("/a?password=x=y&b=c", "/a?password=***&b=c"),
            ("/a?b=c&new_Pass=x", "/a?b=c&new_Pass=***"),
            (
                "/a?access_secret=x&csrf_token=y",
                "/a?access_secret=***&csrf_token=***",
            ),
            ("/a?password", "/a?password"),
        ] {
            assert_eq!(without_secrets(target), shown);
        }
    }
}
