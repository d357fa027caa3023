//! Dump and restore, in files of the server (`/api/v1/dumpdata`, `/api/v1/loaddata`): what is in a dump does not travel.

use http::Method;

use crate::call::Call;
use crate::client::Client;
use crate::error::ClientError;

/// What becomes of users that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OfExisting {
    /// They become what the dump says.
    #[default]
    Replaced,
    /// They stay as they are.
    Kept,
}

/// Whose files are counted afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanAfter {
    /// Nobody's.
    #[default]
    Nobody,
    /// Those of every restored user.
    Everybody,
    /// Those of restored users with a limit.
    Limited,
}

impl Client {
    /// Writes all users to a file below `httpd.backups_path` of the server.
    ///
    /// # Errors
    /// `Refused` if the name is not one of a file below that; `Failed` if it cannot be written, or takes longer than a
    /// request may: then it goes on, and the server's log says how it ends.
    pub async fn dump(&self, file: &str, indented: bool) -> Result<(), ClientError> {
        let indent = if indented { "1" } else { "0" };
        let call = Call::api(Method::GET, &["dumpdata"]);
        let call = call.query(&[("output_file", file), ("indent", indent)]);
        self.done(call.slow()).await
    }

    /// Restores the users of a file of the server, of which the path is absolute.
    ///
    /// # Errors
    /// `Refused` if there is no such file, it is no dump, or a user in it is not valid; `Failed` as for
    /// [`dump`](Self::dump).
    pub async fn restore(
        &self,
        file: &str,
        existing: OfExisting,
        scan: ScanAfter,
    ) -> Result<(), ClientError> {
        let mode = match existing {
            OfExisting::Replaced => "0",
            OfExisting::Kept => "1",
        };
        let scan = match scan {
            ScanAfter::Nobody => "0",
            ScanAfter::Everybody => "1",
            ScanAfter::Limited => "2",
        };
        let call = Call::api(Method::GET, &["loaddata"]);
        let call = call.query(&[("input_file", file), ("mode", mode), ("scan_quota", scan)]);
        self.done(call.slow()).await
    }
}
