//! The suite over every back end of the registry, and over the local one where the kernel does not resolve paths.
#![expect(clippy::unwrap_used, reason = "helpers of tests assert")]

use std::path::Path;
use std::sync::Arc;

use sftpgo_storage::backend::local::LocalBackend;
use sftpgo_storage::backend::memory::MemoryStorage;
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
