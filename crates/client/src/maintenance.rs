//! Dump and restore, in files of the server (`/api/v1/dumpdata`, `/api/v1/loaddata`): what is in a dump does not travel.

use http::Method;
use sftpgo_model::RestoreOptions;

use crate::call::Call;
use crate::client::Client;
use crate::error::ClientError;

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
    pub async fn restore(&self, file: &str, options: RestoreOptions) -> Result<(), ClientError> {
        let call = Call::api(Method::GET, &["loaddata"]);
        let call = call.query(&[
            ("input_file", file),
            ("mode", options.existing.digit()),
            ("scan_quota", options.scan.digit()),
        ]);
        self.done(call.slow()).await
    }
}
