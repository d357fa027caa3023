//! The `process_*` metrics that Prometheus client libraries have in common, from `/proc` (proc(5)). A number that cannot be
//! read is left out.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::text::Page;

/// What the other libraries show for "no limit": the largest 64-bit number as a float.
const UNLIMITED: &str = "1.8446744073709552e+19";

/// Fields of `/proc/self/stat`, counted after the name of the program, in whose parentheses anything may stand.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const START_TICKS: usize = 19;
const VIRTUAL_BYTES: usize = 20;
const RESIDENT_PAGES: usize = 21;

/// Writes what can be read.
pub(super) fn write(page: &mut Page) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let field = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
    if let (Some(user), Some(system)) = (field(USER_TICKS), field(SYSTEM_TICKS)) {
        let seconds = seconds(user.saturating_add(system));
        page.counter(
            "process_cpu_seconds_total",
            "CPU time used, in seconds.",
            seconds,
        );
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Not counting the one that reads the directory.
        let count = open.count().saturating_sub(1);
        page.gauge("process_open_fds", "Open file descriptors.", count);
    }
    let limit = limit(Resource::Nofile);
    page.gauge(
        "process_max_fds",
        "How many file descriptors may be open.",
        limit,
    );
    if let Some(bytes) = field(VIRTUAL_BYTES) {
        page.gauge(
            "process_virtual_memory_bytes",
            "Virtual memory in bytes.",
            bytes,
        );
    }
    let limit = self::limit(Resource::As);
    page.gauge(
        "process_virtual_memory_max_bytes",
        "How much virtual memory there may be.",
        limit,
    );
    if let Some(pages) = field(RESIDENT_PAGES) {
        let bytes = pages.saturating_mul(u64::try_from(page_size()).unwrap_or(0));
        page.gauge(
            "process_resident_memory_bytes",
            "Resident memory in bytes.",
            bytes,
        );
    }
    if let (Some(boot), Some(ticks)) = (boot_time(), field(START_TICKS)) {
        let start = boot + seconds(ticks);
        page.gauge(
            "process_start_time_seconds",
            "Start of the process, Unix time.",
            start,
        );
    }
}

fn seconds(ticks: u64) -> f64 {
    // Precise for some million years.
    ticks as f64 / clock_ticks_per_second() as f64
}

fn limit(resource: Resource) -> String {
    let limit = getrlimit(resource).current;
    limit.map_or_else(|| UNLIMITED.to_owned(), |limit| limit.to_string())
}

/// Unix time of the start of the system.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}
