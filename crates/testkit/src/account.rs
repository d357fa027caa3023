//! [`Account`]: a user for a test, with as much said about it as the test is about.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use serde_json::{Value, json};
use sftpgo_core::model::UserRecord;

use crate::keys::TestKey;

/// The password of every account.
pub const PASSWORD: &str = "correct horse";

/// A user that may do everything in its home, with [`PASSWORD`] and [`Account::key`], unless told otherwise.
#[derive(Debug, Clone)]
pub struct Account {
    name: String,
    json: Value,
}

impl Account {
    /// An account of that name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let json = json!({
            "username": name,
            "status": 1,
            "password": cheap_hash(PASSWORD),
            "public_keys": [Self::key(name).line(name)],
            "permissions": { "/": ["*"] },
        });
        Self {
            name: name.to_owned(),
            json,
        }
    }

    /// The key of the account of that name.
    #[must_use]
    pub fn key(name: &str) -> TestKey {
        let sum = name
            .bytes()
            .fold(100_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        TestKey::numbered(sum)
    }

    /// Sets a member of the user's JSON.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.object().insert(member.to_owned(), value.into());
        self
    }

    /// Sets the permissions of a directory: names separated by commas, or nothing.
    #[must_use]
    pub fn permit(mut self, directory: &str, names: &str) -> Self {
        let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
        let permissions = self.object().get_mut("permissions").unwrap();
        permissions
            .as_object_mut()
            .unwrap()
            .insert(directory.to_owned(), names.into());
        self
    }

    /// Limits what the user may store; 0 is no limit.
    #[must_use]
    pub fn quota(self, files: i64, bytes: i64) -> Self {
        self.with("quota_files", files).with("quota_size", bytes)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The JSON that REST takes, for a server that was not made here.
    #[must_use]
    pub fn json(self, home: &Path) -> Value {
        self.with("home_dir", home.to_str().unwrap()).json
    }

    /// The JSON that REST takes; the home is below `homes` unless it was set.
    pub(crate) fn record(mut self, homes: &Path) -> UserRecord {
        let home = homes.join(&self.name);
        self.object()
            .entry("home_dir")
            .or_insert_with(|| home.to_str().unwrap().into());
        UserRecord::from_json(self.json.to_string().as_bytes()).unwrap()
    }

    fn object(&mut self) -> &mut serde_json::Map<String, Value> {
        self.json.as_object_mut().unwrap()
    }
}

/// A hash in the format of the product that takes no time to verify. Its salt is no secret.
fn cheap_hash(password: &str) -> String {
    let params = Params::new(8, 1, 1, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2
        .hash_password_with_salt(password.as_bytes(), b"salt of all test")
        .unwrap();
    hash.to_string()
}
