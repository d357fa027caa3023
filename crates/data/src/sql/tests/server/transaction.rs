//! Several statements that happen together.

use sftpgo_testdb::{Database, Product};

use super::on_both;
use crate::conformance::samples::user;
use crate::conformance::servers::settings;
use crate::error::DataErrorKind;
use crate::sql::engine::{SqlEngine, SqlTransaction, Statement};

on_both! {
    a_transaction_happens_as_a_whole_or_not_at_all,
    a_failed_statement_cannot_be_committed,
    of_two_in_each_others_way_one_is_told_to_begin_again,
    a_locked_row_is_not_changed_by_others,
}

/// An engine on a database with the accounts `a` and `b`.
async fn engine(database: &Database) -> Box<dyn SqlEngine> {
    let settings = settings(database);
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    provider.add_user(&user("a")).await.unwrap();
    provider.add_user(&user("b")).await.unwrap();
    provider.close().await;
    match database.server().product() {
        Product::Postgresql => Box::new(crate::sql::postgres::engine(&settings).await.unwrap()),
        Product::Mariadb => Box::new(crate::sql::mysql::engine(&settings).await.unwrap()),
    }
}

fn statement(sql: &str) -> Statement {
    Statement(sql.into())
}

fn count(name: &str) -> Statement {
    statement(&format!(
        "UPDATE users SET used_quota_files = used_quota_files + 1 WHERE username = '{name}'"
    ))
}

async fn counted(database: &Database) -> Vec<Vec<String>> {
    database
        .rows("SELECT used_quota_files FROM users ORDER BY username")
        .await
}

async fn a_transaction_happens_as_a_whole_or_not_at_all(database: Database) {
    let engine = engine(&database).await;
    for round in 1..=5 {
        let mut dropped = engine.begin().await.unwrap();
        assert_eq!(dropped.execute(&count("a"), &[]).await.unwrap(), 1);
        assert_eq!(dropped.execute(&count("b"), &[]).await.unwrap(), 1);
        drop(dropped);
        let mut made = engine.begin().await.unwrap();
        made.execute(&count("a"), &[]).await.unwrap();
        made.execute(&count("b"), &[]).await.unwrap();
        made.commit().await.unwrap();
        let expected = vec![vec![round.to_string()]; 2];
        assert_eq!(counted(&database).await, expected);
    }
    engine.close().await;
}

async fn a_failed_statement_cannot_be_committed(database: Database) {
    let engine = engine(&database).await;
    let mut transaction = engine.begin().await.unwrap();
    transaction.execute(&count("a"), &[]).await.unwrap();
    let rename = statement("UPDATE users SET username = 'b' WHERE username = 'a'");
    let error = transaction.execute(&rename, &[]).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Duplicate);
    assert!(transaction.commit().await.is_err());
    assert_eq!(counted(&database).await, [["0"], ["0"]]);
    engine.close().await;
}

async fn of_two_in_each_others_way_one_is_told_to_begin_again(database: Database) {
    let engine = engine(&database).await;
    let mut first = engine.begin().await.unwrap();
    let mut second = engine.begin().await.unwrap();
    first.execute(&count("a"), &[]).await.unwrap();
    second.execute(&count("b"), &[]).await.unwrap();
    let cross = async |mut transaction: Box<dyn SqlTransaction>, name: &str| {
        transaction.execute(&count(name), &[]).await?;
        transaction.commit().await
    };
    let (first, second) = tokio::join!(cross(first, "b"), cross(second, "a"));
    let failed = match (&first, &second) {
        (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
        (Ok(()), Ok(())) | (Err(_), Err(_)) => panic!("{first:?}, {second:?}"),
    };
    assert_eq!(failed.kind(), DataErrorKind::Conflict, "{failed}");
    assert_eq!(counted(&database).await, [["1"], ["1"]]);
    engine.close().await;
}

async fn a_locked_row_is_not_changed_by_others(database: Database) {
    let engine = engine(&database).await;
    let for_update = engine.dialect().for_update;
    let mut holder = engine.begin().await.unwrap();
    let select = statement(&format!(
        "SELECT used_quota_files FROM users WHERE username = 'a'{for_update}"
    ));
    assert_eq!(holder.query(&select, &[]).await.unwrap().len(), 1);
    let (one, other) = (count("a"), count("b"));
    let mut waiting = Box::pin(engine.execute(&one, &[]));
    // Somebody else gets through while that one waits.
    tokio::select! {
        biased;
        done = &mut waiting => panic!("{done:?}"),
        done = engine.execute(&other, &[]) => assert_eq!(done.unwrap(), 1),
    }
    holder.execute(&one, &[]).await.unwrap();
    holder.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
    assert_eq!(counted(&database).await, [["2"], ["1"]]);
    engine.close().await;
}
