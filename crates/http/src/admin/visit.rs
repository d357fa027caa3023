//! What the headers of a request say about who looks at a page.

use axum::http::{HeaderMap, header};

use super::csrf;

/// The cookie that tokens are made for.
pub(super) const FORM_COOKIE: &str = "sftpgo_form";
/// The cookie in which the script keeps the colours that somebody chose.
const THEME_COOKIE: &str = "sftpgo_theme";
/// The cookie that says what was done, for the page that comes next.
pub(super) const DONE_COOKIE: &str = "sftpgo_done";

/// One look at a page.
#[derive(Debug, Default)]
pub(super) struct Visit {
    /// The cookie that tokens are made for, if it was sent.
    pub(super) cookie: Option<String>,
    /// `light` or `dark`; `None` leaves it to the system.
    pub(super) theme: Option<&'static str>,
    /// What was done before.
    pub(super) done: Option<Done>,
    /// Whether a browser asks.
    pub(super) is_browser: bool,
}

/// What a form has done, told once by the page that follows. The words are ours: nothing that was sent is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Added,
    Updated,
    Deleted,
    ScanStarted,
    ScanRuns,
    Disconnected,
    Forgiven,
    Saved,
    Restored,
}

impl Done {
    const ALL: [Self; 9] = [
        Self::Added,
        Self::Updated,
        Self::Deleted,
        Self::ScanStarted,
        Self::ScanRuns,
        Self::Disconnected,
        Self::Forgiven,
        Self::Saved,
        Self::Restored,
    ];

    /// The value of the cookie.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::ScanStarted => "scan-started",
            Self::ScanRuns => "scan-runs",
            Self::Disconnected => "disconnected",
            Self::Forgiven => "forgiven",
            Self::Saved => "saved",
            Self::Restored => "restored",
        }
    }

    /// What people read.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Added => "The user was added.",
            Self::Updated => "The user was updated.",
            Self::Deleted => "The user was deleted.",
            Self::ScanStarted => "The quota scan has started; the figures change when it is done.",
            Self::ScanRuns => "A quota scan of this user is already running.",
            Self::Disconnected => "The connection was closed.",
            Self::Forgiven => "The address is neither banned nor has it points any more.",
            Self::Saved => "The backup was written.",
            Self::Restored => "The backup was restored.",
        }
    }
}

impl Visit {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut visit = Self {
            is_browser: csrf::is_browser(headers),
            ..Self::default()
        };
        let fields = headers.get_all(header::COOKIE).iter();
        let fields = fields.filter_map(|field| field.to_str().ok());
        for pair in fields.flat_map(|field| field.split(';')) {
            match pair.trim().split_once('=') {
                Some((FORM_COOKIE, value)) if csrf::is_cookie(value) => {
                    visit.cookie = Some(value.to_owned());
                }
                Some((THEME_COOKIE, "light")) => visit.theme = Some("light"),
                Some((THEME_COOKIE, "dark")) => visit.theme = Some("dark"),
                Some((DONE_COOKIE, value)) => {
                    visit.done = Done::ALL.into_iter().find(|done| done.code() == value);
                }
                Some(_) | None => {}
            }
        }
        visit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_with_other_values_than_ours_are_ignored() {
        let mut headers = HeaderMap::new();
        let text = "sftpgo_form=<x>; sftpgo_theme=\"><script>; sftpgo_done=whatever";
        headers.insert(header::COOKIE, text.parse().unwrap());
        let visit = Visit::of(&headers);
        assert_eq!((visit.cookie, visit.theme, visit.done), (None, None, None));
        let text = "sftpgo_theme=dark; sftpgo_done=scan-runs";
        headers.insert(header::COOKIE, text.parse().unwrap());
        let visit = Visit::of(&headers);
        assert_eq!(
            (visit.theme, visit.done),
            (Some("dark"), Some(Done::ScanRuns))
        );
    }
}
