//! Parts of a long list cost what they hold, not what the list holds.

use sqlx::Row as _;

use super::{Place, REFERENCE_USER, REFERENCE_V1, REFERENCE_V2};
use crate::provider::{SortOrder, UserQuery};
use crate::sql::engine::{Statement, Value};
use crate::sql::page::Pages;
use crate::sql::sqlite::SQLITE;
use crate::sql::table_name::TableName;

/// How SQLite would run it.
async fn plan(place: &Place, (statement, values): (Statement, Vec<Value<'_>>)) -> String {
    let mut sql = format!("EXPLAIN QUERY PLAN {}", statement.0);
    for value in values {
        let literal = match value {
            Value::Null => "NULL".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => format!("'{text}'"),
        };
        sql = sql.replacen('?', &literal, 1);
    }
    let rows = place.rows(&sql).await;
    let details = rows.iter().map(|row| row.get::<String, _>("detail"));
    details.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn every_part_of_the_list_is_read_from_the_index() {
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2]).await;
    let pages = Pages::new(&SQLITE, &TableName::parse("users").unwrap(), 1002);
    let texts = [None, Some("alice".to_owned())];
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        for after in &texts {
            for search in &texts {
                for username in &texts {
                    let query = UserQuery {
                        limit: 10,
                        offset: 1,
                        order,
                        after: after.clone().map(|name| name + "x"),
                        search: search.clone(),
                        username: username.clone(),
                    };
                    let bounded = after.is_some() || search.is_some() || username.is_some();
                    for (statement, index) in [
                        (pages.records(&query), "USING INDEX"),
                        (pages.names(&query), "USING COVERING INDEX"),
                    ] {
                        let plan = plan(&place, statement.unwrap()).await;
                        assert!(plan.contains(index), "{query:?}: {plan}");
                        assert!(!plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
                        assert_eq!(plan.contains("SEARCH"), bounded, "{query:?}: {plan}");
                    }
                }
            }
        }
    }
}

/// Copies of alice, in the order of their numbers.
const CROWD: &str = "WITH RECURSIVE numbers (n) AS (SELECT 10000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20499)
    INSERT INTO users (username, home_dir, uid, gid, max_sessions, quota_size, quota_files, permissions, used_quota_size,
        used_quota_files, last_quota_update, upload_bandwidth, download_bandwidth, expiration_date, last_login, status)
    SELECT 'user' || n, home_dir, uid, gid, 0, 0, 0, permissions, 0, 0, 0, 0, 0, 0, 0, 1 FROM numbers, users
    WHERE username = 'alice'";

/// The server remembers where far parts begin.
#[tokio::test]
async fn far_parts_of_the_list_are_right_whoever_comes_or_goes_meanwhile() {
    let place = Place::with_database(&[REFERENCE_V1, REFERENCE_V2, REFERENCE_USER, CROWD]).await;
    let provider = place.open().await.unwrap();
    let names = async |offset| -> Vec<String> {
        let query = UserQuery {
            limit: 3,
            offset,
            ..UserQuery::default()
        };
        let page = provider.users(&query).await.unwrap();
        page.into_iter().map(|record| record.username).collect()
    };
    // `alice` is the first, before `user10000`.
    let expected = |offset: u32| {
        (0..3)
            .map(|more| format!("user{}", 10_000 + offset + more - 1))
            .collect::<Vec<_>>()
    };
    for offset in (10_000..10_030).step_by(3).chain([10_200, 10_100, 10_101]) {
        assert_eq!(names(offset).await, expected(offset), "{offset}");
    }
    assert_eq!(names(10_499).await, ["user20498", "user20499"]);
    assert_eq!(names(10_501).await, [""; 0]);
    let first = provider.user_by_name("user10000").await.unwrap().unwrap();
    provider.delete_user(first.id).await.unwrap();
    assert_eq!(names(10_100).await, expected(10_101));
    provider.add_user(&first).await.unwrap();
    assert_eq!(names(10_100).await, expected(10_100));
}
