//! The conformance suite over each store.

use super::*;
use sftpgo_storage::conformance::Fixture;

/// A storage in a bucket of its own. The back end belongs to the test that runs here, and works on its runtime.
fn fixture_in(store: Store) -> Fixture {
    let backend = S3Backend::new(ObjectEngine::default(), Arc::default());
    let storage = elsewhere(async {
        let settings = store.bucket().await;
        backend.open(&settings).await.unwrap()
    });
    Fixture {
        storage: Arc::new(storage),
        root_path: b"/".to_vec(),
        keep: Box::new(()),
    }
}

mod moto {
    use super::*;

    fn fixture() -> Fixture {
        fixture_in(Store::Moto)
    }

    sftpgo_storage::conformance_suite!(fixture);
}

mod rclone {
    use super::*;

    fn fixture() -> Fixture {
        fixture_in(Store::Rclone)
    }

    sftpgo_storage::conformance_suite!(fixture, lacking::RCLONE);
}

mod fake {
    use super::*;

    fn fixture() -> Fixture {
        fixture_in(Store::Fake)
    }

    sftpgo_storage::conformance_suite!(fixture);
}
