//! Which build this is.

/// The version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The abbreviated commit it was built from, if known.
pub const COMMIT: Option<&str> = option_env!("BUILD_COMMIT");

/// When it was built, UTC, if known.
pub const BUILD_DATE: Option<&str> = option_env!("BUILD_DATE");

/// `0.9.6-4fe51f7c-2020-03-04T10:00:00Z`; what is not known is left out.
#[must_use]
pub fn full() -> String {
    let parts = [Some(VERSION), COMMIT, BUILD_DATE].into_iter().flatten();
    parts.collect::<Vec<_>>().join("-")
}
