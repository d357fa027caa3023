//! Accounts on a database server.

use std::sync::Arc;

use sftpgo_testdb::{Database, Product, Server, Setup};
use sftpgo_testkit::{Account, Builder, FileClient as _, TestServer, Usage};
use tokio::task::spawn_blocking;

fn builder(database: &Database) -> Builder {
    on_database(TestServer::builder(), database)
}

/// The same server with its accounts in a database.
pub(super) fn on_database(builder: Builder, database: &Database) -> Builder {
    builder
        .set("data_provider.driver", database.server().product().driver())
        .set("data_provider.name", database.name())
        .set("data_provider.host", "127.0.0.1")
        .set("data_provider.port", database.server().port())
        .set("data_provider.username", database.user())
        .set("data_provider.password", database.password())
}

async fn a_server_waits_for_its_database(product: Product) {
    let database_server = Server::start(product, Setup::default());
    let database = Database::create(&database_server).await;
    database_server.stop();
    let mut starting = Box::pin(builder(&database).start());
    let launching = {
        let server = Arc::clone(&database_server);
        spawn_blocking(move || server.resume())
    };
    tokio::select! {
        biased;
        _ = &mut starting => panic!("there is no database yet"),
        done = launching => done.unwrap(),
    }
    let server = starting.await;

    // And then everything works as with any other data provider.
    server.add(Account::new("alice").quota(2, 10)).await;
    let mut client = server.sftp("alice").await;
    client.put(b"/a", b"12345").await.unwrap();
    client.put(b"/b", b"678").await.unwrap();
    assert!(client.put(b"/c", b"9").await.is_err());
    let expected = Usage { files: 2, bytes: 8 };
    assert_eq!(server.quota("alice").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waits_for_postgresql() {
    a_server_waits_for_its_database(Product::Postgresql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waits_for_mysql() {
    a_server_waits_for_its_database(Product::Mariadb).await;
}
