//! Panics in the log. Each is a defect; whichever task it ends, the server goes on, and somebody should hear of it.

use std::backtrace::Backtrace;
use std::panic;

/// From now on every panic of the process is an error in the log, beside what was done about panics before. Once a process.
pub fn log_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let said = info.payload_as_str().unwrap_or("no text");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let stack = Backtrace::force_capture();
        tracing::error!(
            sender = "service",
            panic = said,
            place,
            stack = %stack,
            "a task of the server panicked, which is a defect: please report it"
        );
        before(info);
    }));
}
