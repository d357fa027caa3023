//! What is said when settings lead nowhere.

use sftpgo_testdb::{Database, Product};

use super::on_both;
use crate::config::{DataProviderConfig, HiddenText};
use crate::conformance::samples::user;
use crate::conformance::servers::{config, resolved};
use crate::error::{DataError, DataErrorKind};

on_both! {
    a_wrong_password_names_its_settings,
    a_database_that_is_not_there_names_its_setting,
    a_server_that_is_not_there_is_unavailable,
    a_connection_string_replaces_the_other_settings,
    a_unix_socket_is_as_good_as_a_port,
    no_secret_is_printed,
}

async fn refusal(config: DataProviderConfig) -> DataError {
    crate::open(&resolved(config), Vec::new())
        .await
        .unwrap_err()
}

#[track_caller]
fn assert_says(error: &DataError, kind: DataErrorKind, texts: &[&str]) {
    let message = error.to_string();
    assert_eq!(error.kind(), kind, "{message}");
    for text in texts {
        assert!(message.contains(text), "{text}: {message}");
    }
}

async fn a_wrong_password_names_its_settings(database: Database) {
    let wrong = DataProviderConfig {
        password: HiddenText::new("hunter2"),
        ..config(&database)
    };
    let texts = [
        "data_provider.username",
        "data_provider.password",
        database.user(),
    ];
    assert_says(&refusal(wrong).await, DataErrorKind::Internal, &texts);
    let wrong = DataProviderConfig {
        password: HiddenText::default(),
        ..config(&database)
    };
    let texts = ["data_provider.password"];
    assert_says(&refusal(wrong).await, DataErrorKind::Internal, &texts);
}

async fn a_database_that_is_not_there_names_its_setting(database: Database) {
    let wrong = DataProviderConfig {
        name: "sftpgo.db".to_owned(),
        ..config(&database)
    };
    let texts = ["data_provider.name", "sftpgo.db"];
    assert_says(&refusal(wrong).await, DataErrorKind::Internal, &texts);
    let empty = DataProviderConfig {
        name: String::new(),
        ..config(&database)
    };
    let texts = ["data_provider.name"];
    assert_says(&refusal(empty).await, DataErrorKind::Internal, &texts);
}

async fn a_server_that_is_not_there_is_unavailable(database: Database) {
    // Nobody listens there: the port is held, and not listened on.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let wrong = DataProviderConfig {
        port: held.local_addr().unwrap().port(),
        ..config(&database)
    };
    let texts = ["data_provider.host", "data_provider.port", "127.0.0.1"];
    assert_says(&refusal(wrong).await, DataErrorKind::Unavailable, &texts);
    let wrong = DataProviderConfig {
        host: "/nowhere".to_owned(),
        ..config(&database)
    };
    let texts = ["data_provider.host", "/nowhere"];
    assert_says(&refusal(wrong).await, DataErrorKind::Unavailable, &texts);
}

fn connection_strings(database: &Database) -> Vec<String> {
    let (user, name, port) = (database.user(), database.name(), database.server().port());
    let (password, socket) = (database.password(), database.server().socket());
    let (socket, escaped) = (socket.display(), password.replace(' ', "%20"));
    match database.server().product() {
        Product::Postgresql => vec![
            format!(
                "host='127.0.0.1' port={port} dbname='{name}' user='{user}' \
                 password='{password}' sslmode=disable connect_timeout=10"
            ),
            format!("postgres://{user}:{escaped}@127.0.0.1:{port}/{name}?sslmode=disable"),
            format!("host={socket} port={port} dbname={name} user={user} password='{password}'"),
        ],
        Product::Mariadb => vec![
            format!(
                "{user}:{password}@tcp([127.0.0.1]:{port})/{name}?charset=utf8\
                 &interpolateParams=true&timeout=10s&tls=false&writeTimeout=10s&readTimeout=10s"
            ),
            format!("mysql://{user}:{escaped}@127.0.0.1:{port}/{name}"),
            format!("{user}:{password}@unix({socket})/{name}"),
        ],
    }
}

async fn a_connection_string_replaces_the_other_settings(database: Database) {
    for text in connection_strings(&database) {
        let settings = resolved(DataProviderConfig {
            driver: database.server().product().driver().to_owned(),
            connection_string: HiddenText::new(text.as_str()),
            ..DataProviderConfig::default()
        });
        let provider = crate::open(&settings, Vec::new()).await.unwrap();
        provider.check().await.unwrap();
        provider.close().await;
        let wrong = text.replace(database.password(), "hunter2");
        let wrong = wrong.replace("not%20a%20secret", "hunter2");
        let wrong = DataProviderConfig {
            driver: database.server().product().driver().to_owned(),
            connection_string: HiddenText::new(wrong),
            ..DataProviderConfig::default()
        };
        let error = refusal(wrong).await;
        let texts = ["data_provider.connection_string"];
        assert_says(&error, DataErrorKind::Internal, &texts);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

async fn a_unix_socket_is_as_good_as_a_port(database: Database) {
    let settings = resolved(DataProviderConfig {
        host: database.server().socket().display().to_string(),
        sslmode: 1,
        ..config(&database)
    });
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    provider.add_user(&user("alice")).await.unwrap();
    provider.close().await;
}

async fn no_secret_is_printed(database: Database) {
    let settings = resolved(config(&database));
    let provider = crate::open(&settings, Vec::new()).await.unwrap();
    let shown = format!("{provider:?}");
    assert!(shown.contains(database.name()), "{shown}");
    assert!(!shown.contains(database.password()), "{shown}");
    // What the server says about a row can hold all of it.
    let mut secret = user("alice");
    secret.home_dir = "x".repeat(300);
    secret.password = "$argon2id$hunter2".to_owned();
    let error = provider.add_user(&secret).await.unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Internal);
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
    provider.close().await;
}
