//! Restoring accounts from a dump (reference 5.7), one by one.

use sftpgo_model::{OfExisting, RestoreOptions, ScanAfter, UserRecord};

use super::error::AdminError;
use super::users::UserAdmin;

/// What was done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestoreCounts {
    /// New accounts.
    pub added: u64,
    /// Accounts that were there.
    pub replaced: u64,
    /// Accounts that stayed as they were.
    pub kept: u64,
}

/// A restore under way. Accounts that were restored stay so, however it ends.
#[derive(Debug)]
pub struct Restore {
    users: UserAdmin,
    options: RestoreOptions,
    counts: RestoreCounts,
    to_scan: Vec<String>,
}

impl Restore {
    /// A restore into the accounts of `users`.
    pub fn new(users: UserAdmin, options: RestoreOptions) -> Self {
        Self {
            users,
            options,
            counts: RestoreCounts::default(),
            to_scan: Vec::new(),
        }
    }

    /// Restores one account, with the validation of every other change; hashes and sealed secrets stay as they are, and secrets
    /// in the form of a reply are refused: whoever has those in a file has no dump. A new
    /// account gets an id of its own and begins with no used quota and no last login.
    ///
    /// # Errors
    /// As adding and updating; the message names the account.
    pub async fn user(&mut self, record: UserRecord) -> Result<(), AdminError> {
        let (name, limited) = (record.username.clone(), record.has_quota());
        let restored = self.restore(record).await;
        if !restored.map_err(|error| error.of_user(&name))? {
            return Ok(());
        }
        match self.options.scan {
            ScanAfter::Everybody => self.to_scan.push(name),
            ScanAfter::Limited if limited => self.to_scan.push(name),
            ScanAfter::Limited | ScanAfter::Nobody => {}
        }
        Ok(())
    }

    /// `false` if the account stays as it is.
    async fn restore(&mut self, record: UserRecord) -> Result<bool, AdminError> {
        let stored = self.users.find(&record.username).await?;
        if stored.is_some() && self.options.existing == OfExisting::Kept {
            self.counts.kept += 1;
            return Ok(false);
        }
        match stored {
            Some(stored) => {
                let record = UserRecord {
                    id: stored.id,
                    ..record
                };
                self.users.update(record).await?;
                self.counts.replaced += 1;
            }
            None => {
                self.users.add(record).await?;
                self.counts.added += 1;
            }
        }
        Ok(true)
    }

    /// What was done so far.
    pub fn counts(&self) -> RestoreCounts {
        self.counts
    }

    /// The accounts whose files are to be counted.
    pub fn into_scans(self) -> Vec<String> {
        self.to_scan
    }
}
