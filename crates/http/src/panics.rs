//! Where a handler panicked. The stack is gone when the panic is caught, so a hook keeps it until then.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic;

thread_local! {
    /// Of the last panic on this thread. The hook of panics and whoever catches one have nothing but the thread in common.
    static STACK: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on the stack of a handler that panics is in the log, beside what the process did about panics before. For the
/// process as a whole, once.
pub fn keep_stacks_of_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let stack = Backtrace::force_capture().to_string();
        STACK.with(|kept| {
            // Borrowed only if the panic is in here, and then there is nothing to keep.
            if let Ok(mut kept) = kept.try_borrow_mut() {
                *kept = Some(stack);
            }
        });
        before(info);
    }));
}

/// The stack of the panic that was just caught on this thread; empty if nobody kept it.
pub(crate) fn stack() -> String {
    STACK.take().unwrap_or_default()
}

/// What a panic says.
pub(crate) fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
