//! Parts of a long list cost what they hold, not what the list holds.

use sqlx::Row as _;

use super::{Place, REFERENCE_V1, REFERENCE_V2};
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
