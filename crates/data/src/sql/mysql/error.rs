//! What errors of MySQL and MariaDB mean to us
//! (<https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>,
//! <https://mariadb.com/kb/en/mariadb-error-code-reference/>).

use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

use crate::sql::server::failure::Failure;

/// The meaning of an error.
pub(crate) fn failure(error: &Error) -> Failure {
    let Error::Database(database) = error else {
        return Failure::of_driver(error);
    };
    if database.is_unique_violation() {
        return Failure::Duplicate;
    }
    match database.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => of_number(error.number()),
        None => Failure::Internal,
    }
}

fn of_number(number: u16) -> Failure {
    match number {
        // Deadlock; waited too long for a lock; the row changed under a snapshot.
        1213 | 1205 | 1020 | 3572 => Failure::Conflict,
        // The statement is to be prepared again, or is not there any more.
        1615 | 1243 => Failure::Stale,
        // Shutdown; the session was ended; too many connections; idle for too long.
        1053 | 1077 | 1927 | 1040 | 1203 | 1226 | 4031 => Failure::Refused,
        // The server, or its only connection that could write, is read-only.
        1290 | 1792 | 1836 => Failure::ReadOnly,
        // Password; host; account locked or expired; how to log in.
        1045 | 1698 | 1129 | 1130 | 1251 | 1820 | 1862 | 3118 | 4151 => Failure::Login,
        1044 | 1049 => Failure::Database,
        // TLS is demanded.
        3159 => Failure::Tls,
        // Network, between the server and us.
        1152 | 1153 | 1154..=1161 | 1184 => Failure::Lost,
        // Interrupted; out of memory or disk; trouble of a storage engine.
        1317 | 1021 | 1037 | 1038 | 1041 | 1114 | 1030 | 3024 => Failure::Unavailable,
        1034 | 1035 | 1194 | 1195 => Failure::Corrupt,
        _ => Failure::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_undone_is_told_from_what_may_have_been_done() {
        assert_eq!(of_number(1213), Failure::Conflict);
        assert_eq!(of_number(1053), Failure::Refused);
        assert_eq!(of_number(1159), Failure::Lost);
        assert_eq!(of_number(1146), Failure::Internal);
    }
}
