//! Prometheus itself: it scrapes the program, `promtool` reads the page and the rules, and the queries of the dashboard find
//! something.

mod dashboard;
mod promtool;
mod scraped;
mod watcher;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For anything that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file of `packaging/`.
fn packaged(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packaging")
        .join(name)
}

/// Looks again and again until there is something.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
