//! What errors of PostgreSQL mean to us (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use sqlx::Error;

use crate::sql::server::failure::Failure;

/// The meaning of an error.
pub(crate) fn failure(error: &Error) -> Failure {
    let Error::Database(error) = error else {
        return Failure::of_driver(error);
    };
    let code = error.code().unwrap_or_default();
    match &*code {
        // Somebody made the same table, or its sequence or type, at the same time.
        "23505" | "42P07" | "42710" => Failure::Duplicate,
        "40001" | "40P01" | "55P03" => Failure::Conflict,
        // CockroachDB does not know whether a change was made.
        "40003" => Failure::Lost,
        // The statement is not there any more; or "cached plan must not change result type".
        "26000" => Failure::Stale,
        "0A000" if error.message().contains("cached plan") => Failure::Stale,
        // Shutdown, crash of another session, starting up, idle for too long, too many connections.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => Failure::Refused,
        "25006" => Failure::ReadOnly,
        "57014" => Failure::Unavailable,
        "3D000" | "57P04" => Failure::Database,
        "XX001" | "XX002" => Failure::Corrupt,
        _ => of_class(&code),
    }
}

fn of_class(code: &str) -> Failure {
    match code.get(..2) {
        Some("08") => Failure::Lost,
        Some("28") => Failure::Login,
        // Out of memory or disk; trouble of the system.
        Some("53" | "58") => Failure::Unavailable,
        _ => Failure::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_a_meaning_where_their_codes_have_none_of_their_own() {
        assert_eq!(of_class("08006"), Failure::Lost);
        assert_eq!(of_class("28P01"), Failure::Login);
        assert_eq!(of_class("53100"), Failure::Unavailable);
        assert_eq!(of_class("42501"), Failure::Internal);
        assert_eq!(of_class(""), Failure::Internal);
    }
}
