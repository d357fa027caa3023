//! The suite of all back ends.

use std::sync::{Arc, OnceLock};

use sftpgo_storage::backend::object::ObjectEngine;
use sftpgo_storage::conformance::Fixture;
use sftpgo_teststore::FakeGcs;

use super::{elsewhere, open};

fn fixture_at(store: std::net::SocketAddr, bucket: String) -> Fixture {
    let engine = ObjectEngine::default();
    let storage = elsewhere(async move { open(store, &bucket, engine, |_| {}).await });
    Fixture {
        storage: Arc::new(storage),
        root_path: b"/".to_vec(),
        keep: Box::new(()),
    }
}

mod emulator {
    use super::*;

    fn fixture() -> Fixture {
        let emulator = sftpgo_teststore::gcs();
        let address = emulator.address();
        let bucket = elsewhere(async move { emulator.bucket().await });
        fixture_at(address, bucket)
    }

    sftpgo_storage::conformance_suite!(fixture);
}

mod fake {
    use super::*;

    fn fixture() -> Fixture {
        static FAKE: OnceLock<FakeGcs> = OnceLock::new();
        let fake = FAKE.get_or_init(|| elsewhere(FakeGcs::start(None)));
        fake.make_bucket("bucket");
        fixture_at(fake.address(), "bucket".to_owned())
    }

    sftpgo_storage::conformance_suite!(fixture);
}
