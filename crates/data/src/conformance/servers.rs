//! Providers on database servers.

use std::sync::Arc;

use sftpgo_testdb::{Database, Server};

use super::Fixture;
use crate::config::{DataProviderConfig, DataProviderSettings, HiddenText};

/// A provider on an empty database.
pub(crate) async fn fixture(server: Arc<Server>) -> Fixture {
    let database = Database::create(&server).await;
    let provider = crate::open(&settings(&database), Vec::new()).await.unwrap();
    Fixture {
        provider,
        _held: Box::new(database),
    }
}

/// The settings that lead to a database, as a file has them.
pub(crate) fn config(database: &Database) -> DataProviderConfig {
    DataProviderConfig {
        driver: database.server().product().driver().to_owned(),
        name: database.name().to_owned(),
        host: "127.0.0.1".to_owned(),
        port: database.server().port(),
        username: database.user().to_owned(),
        password: HiddenText::new(database.password()),
        ..DataProviderConfig::default()
    }
}

/// The settings that lead to a database.
pub(crate) fn settings(database: &Database) -> DataProviderSettings {
    resolved(config(database))
}

/// The settings after validation.
pub(crate) fn resolved(config: DataProviderConfig) -> DataProviderSettings {
    config.resolve("/nowhere".as_ref()).unwrap().0
}
