//! Writing all accounts: the text, in pieces.

use sftpgo_data::dump::DumpText;

use super::error::AdminError;
use super::pages::UserPages;
use super::users::UserAdmin;

/// All accounts as the text of a dump (reference 5.7): whole records, hashes and sealed secrets included. A page of
/// accounts at a time is in memory.
#[derive(Debug)]
pub struct UserDump {
    pages: UserPages,
    text: DumpText,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    Accounts,
    End,
}

impl UserAdmin {
    /// A dump of all accounts, with every value on a line of its own if `indented`.
    pub fn dump(&self, indented: bool) -> UserDump {
        UserDump {
            pages: UserPages::new(self.provider()),
            text: DumpText::new(indented),
            place: Place::Beginning,
        }
    }
}

impl UserDump {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The data provider does not answer, or has a record that cannot be read: a dump without it would not be one.
    pub async fn next_piece(&mut self) -> Result<Option<Vec<u8>>, AdminError> {
        let mut piece = Vec::new();
        match self.place {
            Place::Beginning => {
                piece.extend_from_slice(self.text.begin());
                self.place = Place::Accounts;
            }
            Place::Accounts => {
                let page = self.pages.next().await?;
                for user in &page {
                    self.text.user(user, &mut piece)?;
                }
                if page.is_empty() {
                    piece.extend_from_slice(self.text.end());
                    self.place = Place::End;
                }
            }
            Place::End => return Ok(None),
        }
        Ok(Some(piece))
    }

    /// Accounts so far.
    pub fn users(&self) -> u64 {
        self.text.users()
    }
}
