//! The suite over every back end of the registry, and over the local one where the kernel does not resolve paths.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::path::Path;
use std::sync::Arc;

use sftpgo_storage::backend::local::LocalBackend;
use sftpgo_storage::backend::memory::MemoryStorage;
use sftpgo_storage::backend::object::fake::FakeStore;
use sftpgo_storage::backend::object::{Limits, ObjectEngine, ObjectSettings, ObjectStorage};
use sftpgo_storage::conformance::Fixture;

fn local_in(backend: &LocalBackend, parent: &Path) -> Fixture {
    let keep = tempfile::tempdir_in(parent).unwrap();
    // The administrator's path may lead through a link, and absolute links may be spelled with it.
    let path = keep.path().join("root");
    std::fs::create_dir(keep.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", &path).unwrap();
    Fixture {
        storage: Arc::new(backend.open(&path).unwrap()),
        root_path: path.into_os_string().into_encoded_bytes(),
        keep: Box::new(keep),
    }
}

mod local {
    use super::*;

    fn fixture() -> Fixture {
        local_in(&LocalBackend::new(), &std::env::temp_dir())
    }

    sftpgo_storage::conformance_suite!(fixture);
}

mod local_without_openat2 {
    use super::*;

    fn fixture() -> Fixture {
        local_in(
            &LocalBackend::with_component_walker(),
            &std::env::temp_dir(),
        )
    }

    sftpgo_storage::conformance_suite!(fixture);
}

/// On a file system in memory, where nothing waits and other code runs.
mod local_in_memory {
    use super::*;

    fn fixture() -> Fixture {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory
        } else {
            Path::new("/tmp")
        };
        local_in(&LocalBackend::new(), parent)
    }

    sftpgo_storage::conformance_suite!(fixture);
}

mod memory {
    use super::*;

    fn fixture() -> Fixture {
        Fixture {
            storage: Arc::new(MemoryStorage::new(16 << 20)),
            root_path: MemoryStorage::ROOT_PATH.to_vec(),
            keep: Box::new(()),
        }
    }

    sftpgo_storage::conformance_suite!(fixture);
}

fn object_in(store: FakeStore, prefix: &str, part_size: u64) -> Fixture {
    let settings = ObjectSettings {
        prefix: prefix.to_owned(),
        part_size,
        ..ObjectSettings::default()
    };
    let storage = ObjectStorage::new(
        Arc::new(store),
        settings,
        ObjectEngine::default(),
        Arc::default(),
    );
    Fixture {
        storage: Arc::new(storage),
        root_path: b"/".to_vec(),
        keep: Box::new(()),
    }
}

mod object {
    use super::*;

    fn fixture() -> Fixture {
        let limits = Limits {
            min_part: 5 << 20,
            max_part: 5 << 30,
            max_parts: 10_000,
            max_copy: 5 << 30,
            copies_parts: true,
            max_key: 1024,
        };
        object_in(FakeStore::new(limits), "", 5 << 20)
    }

    sftpgo_storage::conformance_suite!(fixture);
}

/// Below a prefix, with parts and copies of a few bytes, at a store that knows no conditions.
mod object_in_small_parts {
    use super::*;

    fn fixture() -> Fixture {
        object_in(FakeStore::default().without_conditions(), "home/of one", 5)
    }

    sftpgo_storage::conformance_suite!(fixture);
}

/// At a store that takes the parts of an upload in their order only.
mod object_in_order {
    use super::*;

    fn fixture() -> Fixture {
        object_in(FakeStore::default().in_order(), "", 5)
    }

    sftpgo_storage::conformance_suite!(fixture);
}
