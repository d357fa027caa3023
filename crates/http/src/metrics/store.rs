//! Object stores (reference 13): the names are there from the start, whatever back ends there are.

use sftpgo_core::metrics::Counter;
use sftpgo_core::storage_counters::{Calls, ObjectStoreCounters, ObjectTransfers, StoreCounters};

use super::text::Page;

/// Every object store that metrics have names for.
pub(super) fn write(page: &mut Page, stores: &StoreCounters) {
    write_store(page, "s3", "S3", &stores.s3);
    write_store(page, "gcs", "GCS", &stores.gcs);
    write_store(page, "azblob", "Azure", &stores.azblob);
}

fn write_store(page: &mut Page, name: &str, called: &str, store: &ObjectStoreCounters) {
    let transfers: [(&str, &ObjectTransfers); 2] =
        [("upload", &store.uploads), ("download", &store.downloads)];
    for (way, counters) in transfers {
        let prefix = format!("sftpgo_{name}_{way}");
        let rows: [(&str, &str, &Counter); 3] = [
            ("s_total", "that were completed", &counters.completed),
            ("_errors_total", "that failed", &counters.failed),
            ("_size", "in bytes, failed ones included", &counters.bytes),
        ];
        for (suffix, what, counter) in rows {
            let help = format!("{called} {way}s {what}.");
            page.counter(&format!("{prefix}{suffix}"), &help, counter.value());
        }
    }
    let calls: [(&str, &Calls); 4] = [
        ("list_objects", &store.list_objects),
        ("copy_object", &store.copy_object),
        ("delete_object", &store.delete_object),
        ("head_bucket", &store.head_bucket),
    ];
    for (call, counters) in calls {
        let prefix = format!("sftpgo_{name}_{call}");
        let help = format!("{called} calls of this kind that went well.");
        page.counter(&prefix, &help, counters.ok.value());
        let help = format!("{called} calls of this kind that failed.");
        page.counter(&format!("{prefix}_errors"), &help, counters.failed.value());
    }
    page.counter(
        &format!("sftpgo_{name}_skipped_keys_total"),
        &format!("{called} keys that listings left out, because no path leads to them."),
        store.skipped_keys.value(),
    );
}
