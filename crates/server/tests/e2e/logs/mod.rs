//! The log as a whole (reference 14): the fields of each line, what joins the lines of a connection, and what is in none of
//! them.
#![cfg(unix)]

mod fields;
mod joined;
#[cfg(target_os = "linux")]
mod secrets;
