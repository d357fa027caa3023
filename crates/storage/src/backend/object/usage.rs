//! Sums over everything below the prefix, for quota scans.

use super::key::is_addressable;
use super::list::PAGE;
use super::storage::Inner;
use super::store::ListRequest;
use crate::error::StorageResult;
use crate::storage::Usage;

impl Inner {
    /// Counts files that can be reached; one call for a thousand keys. Markers are no files, nor is what no path leads to.
    pub(super) async fn usage(&self) -> StorageResult<Usage> {
        let mut usage = Usage::default();
        let mut request = ListRequest {
            prefix: self.keys.root().to_owned(),
            by_folder: false,
            continuation: None,
            limit: PAGE,
        };
        loop {
            let page = self.calls.list(&request).await?;
            for object in &page.objects {
                if !object.key.ends_with('/') && is_addressable(self.keys.root(), &object.key) {
                    usage.files = usage.files.saturating_add(1);
                    usage.bytes = usage.bytes.saturating_add(object.size);
                }
            }
            if page.continuation.is_none() {
                return Ok(usage);
            }
            request.continuation = page.continuation;
        }
    }
}
