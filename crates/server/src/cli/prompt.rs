//! Asking whoever runs a command for a password, on their terminal.

use std::io;

use zeroize::Zeroizing;

/// Shows `text` and reads a line that is not shown. Blocks for as long as a person types.
///
/// # Errors
/// There is no terminal.
pub(super) fn password(text: &str) -> io::Result<Zeroizing<String>> {
    // The library shows the question first: whoever types at once, or pastes, would see it.
    let _quiet = quiet::Quiet::begin();
    rpassword::prompt_password(text).map(Zeroizing::new)
}

#[cfg(unix)]
mod quiet {
    use std::fs::File;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The terminal does not show what is typed, until this is dropped.
    #[derive(Debug)]
    pub(super) struct Quiet(Option<(File, Termios)>);

    impl Quiet {
        /// Does nothing where there is no terminal.
        pub(super) fn begin() -> Self {
            let quiet = || {
                let terminal = File::options()
                    .read(true)
                    .write(true)
                    .open("/dev/tty")
                    .ok()?;
                let before = tcgetattr(&terminal).ok()?;
                let mut quiet = before.clone();
                quiet.local_modes.remove(LocalModes::ECHO);
                // The line still ends on the screen.
                quiet.local_modes.insert(LocalModes::ECHONL);
                tcsetattr(&terminal, OptionalActions::Now, &quiet).ok()?;
                Some((terminal, before))
            };
            Self(quiet())
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            if let Some((terminal, before)) = &self.0 {
                // A terminal that is gone shows nothing any more.
                let _ = tcsetattr(terminal, OptionalActions::Now, before);
            }
        }
    }
}

#[cfg(not(unix))]
mod quiet {
    /// Nothing: the library has to do.
    #[derive(Debug)]
    pub(super) struct Quiet;

    impl Quiet {
        pub(super) fn begin() -> Self {
            Self
        }
    }
}
