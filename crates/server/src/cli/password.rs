//! Passwords on the command line: asked for or read from stdin, never an argument, because
//! arguments are visible to every user of the machine and stay in the history of the shell.

use std::io::{BufRead, Read};

use zeroize::Zeroizing;

use super::prompt;

/// Longer input is a file given by mistake.
const LONGEST: usize = 4096;

/// What to do about the password.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub struct PasswordArgs {
    /// Ask for the password, twice and without echo
    #[arg(long)]
    ask_password: bool,

    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,

    /// Leave the user without a password
    #[arg(long)]
    no_password: bool,
}

/// What the flags say about the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordChoice {
    /// Ask for it on the terminal.
    Ask,
    /// Read it from stdin.
    Stdin,
    /// There shall be none.
    Nothing,
}

/// Why no password could be had.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// There is no terminal, or it could not be read.
    #[error("cannot ask for the password ({0}); use --password-stdin")]
    Terminal(#[source] std::io::Error),
    /// Stdin could not be read.
    #[error("cannot read the password from stdin: {0}")]
    Stdin(#[source] std::io::Error),
    /// The two answers differ.
    #[error("the two passwords differ")]
    Differ,
    /// Nothing was entered.
    #[error("the password is empty; use --no-password for a user without one")]
    Empty,
    /// More than a password.
    #[error("the password is longer than {LONGEST} bytes")]
    TooLong,
}

impl PasswordArgs {
    /// What the flags say; `None` if none of them was given.
    #[must_use]
    pub fn choice(&self) -> Option<PasswordChoice> {
        match (self.ask_password, self.password_stdin, self.no_password) {
            (true, _, _) => Some(PasswordChoice::Ask),
            (_, true, _) => Some(PasswordChoice::Stdin),
            (_, _, true) => Some(PasswordChoice::Nothing),
            (false, false, false) => None,
        }
    }
}

impl PasswordChoice {
    /// Obtains the password; `None` if there shall be none. Blocks for as long as a person types.
    ///
    /// # Errors
    /// The password could not be had, is empty or too long.
    pub fn obtain(self) -> Result<Option<Zeroizing<String>>, PasswordError> {
        let password = match self {
            Self::Nothing => return Ok(None),
            Self::Ask => ask()?,
            Self::Stdin => first_line(&mut std::io::stdin().lock())?,
        };
        if password.is_empty() {
            return Err(PasswordError::Empty);
        }
        if password.len() > LONGEST {
            return Err(PasswordError::TooLong);
        }
        Ok(Some(password))
    }
}

fn ask() -> Result<Zeroizing<String>, PasswordError> {
    let prompt = |text: &str| prompt::password(text).map_err(PasswordError::Terminal);
    let password = prompt("Password: ")?;
    if *prompt("Password again: ")? == *password {
        Ok(password)
    } else {
        Err(PasswordError::Differ)
    }
}

fn first_line(input: &mut impl BufRead) -> Result<Zeroizing<String>, PasswordError> {
    let mut line = Zeroizing::new(String::with_capacity(LONGEST + 3));
    // Room for the longest password and its line end, and one more to see that it is too long.
    let mut input = input.take(LONGEST as u64 + 3);
    input.read_line(&mut line).map_err(PasswordError::Stdin)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_stdin_is_the_password() {
        let line = |text: &str| first_line(&mut text.as_bytes()).unwrap().to_string();
        assert_eq!(line(" a b \r\nmore\n"), " a b ");
        assert_eq!(line("no line end"), "no line end");
        assert_eq!(line(""), "");
        assert_eq!(line(&"x".repeat(9999)).len(), LONGEST + 3);
    }

    #[test]
    fn errors_do_not_show_the_password() {
        assert_eq!(
            PasswordError::Differ.to_string(),
            "the two passwords differ"
        );
    }
}
