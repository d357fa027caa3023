//! The sftpgo program. Everything is in the library, where tests reach it.

/// Faster than the system allocator for the many short-lived buffers of a transfer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sftpgo_server::cli::main(std::env::args_os())
}
