//! A database of its own for a test.

use std::sync::Arc;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::product::{PASSWORD, Product};
use crate::server::Server;

/// An empty database on a server.
#[derive(Debug, Clone)]
pub struct Database {
    server: Arc<Server>,
    name: String,
}

/// A connection of the administrator.
enum Administrator {
    Postgresql(PgConnection),
    Mariadb(MySqlConnection),
}

impl Database {
    /// Makes a database.
    pub async fn create(server: &Arc<Server>) -> Self {
        let database = Self {
            server: Arc::clone(server),
            name: server.next_name(),
        };
        let mut administrator = database.connect(None).await;
        administrator
            .run(&format!("CREATE DATABASE {}", database.name))
            .await;
        administrator.close().await;
        database
    }

    /// The server it is on.
    #[must_use]
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Its name: letters, digits and `_`. Names of other things that all databases of a server share can begin with it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The administrator's name.
    #[must_use]
    pub fn user(&self) -> &'static str {
        self.server.product().administrator()
    }

    /// The administrator's password.
    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Runs statements as the administrator.
    pub async fn run(&self, statements: &str) {
        let mut administrator = self.connect(Some(&self.name)).await;
        administrator.run(statements).await;
        administrator.close().await;
    }

    /// What the administrator is told, every value as text and NULL as an empty one.
    pub async fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let mut administrator = self.connect(Some(&self.name)).await;
        let rows = administrator.rows(query).await;
        administrator.close().await;
        rows
    }

    async fn connect(&self, database: Option<&str>) -> Administrator {
        match self.server.product() {
            Product::Postgresql => {
                let options = PgConnectOptions::new_without_pgpass()
                    .host("127.0.0.1")
                    .port(self.server.port())
                    .username(self.user())
                    .password(PASSWORD)
                    .database(database.unwrap_or("postgres"))
                    .ssl_mode(PgSslMode::Prefer);
                Administrator::Postgresql(options.connect().await.unwrap())
            }
            Product::Mariadb => {
                let options = MySqlConnectOptions::new()
                    .host("127.0.0.1")
                    .port(self.server.port())
                    .username(self.user())
                    .password(PASSWORD)
                    .database(database.unwrap_or("mysql"))
                    .ssl_mode(MySqlSslMode::Preferred);
                Administrator::Mariadb(options.connect().await.unwrap())
            }
        }
    }
}

impl Administrator {
    async fn run(&mut self, statements: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        let done = match self {
            Self::Postgresql(connection) => sql.execute(connection).await.map(drop),
            Self::Mariadb(connection) => sql.execute(connection).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    async fn rows(&mut self, query: &str) -> Vec<Vec<String>> {
        let sql = sqlx::raw_sql(AssertSqlSafe(query.to_owned()));
        match self {
            Self::Postgresql(connection) => {
                let rows = sql.fetch_all(connection).await.unwrap();
                rows.iter()
                    .map(|row| {
                        let value = |index| {
                            let text: Option<String> = row.try_get_unchecked(index).unwrap();
                            text.unwrap_or_default()
                        };
                        (0..row.len()).map(value).collect()
                    })
                    .collect()
            }
            Self::Mariadb(connection) => {
                let rows = sql.fetch_all(connection).await.unwrap();
                rows.iter()
                    .map(|row| {
                        let value = |index| {
                            let bytes: Option<Vec<u8>> = row.try_get_unchecked(index).unwrap();
                            String::from_utf8(bytes.unwrap_or_default()).unwrap()
                        };
                        (0..row.len()).map(value).collect()
                    })
                    .collect()
            }
        }
    }

    async fn close(self) {
        match self {
            Self::Postgresql(connection) => connection.close().await.unwrap(),
            Self::Mariadb(connection) => connection.close().await.unwrap(),
        }
    }
}
