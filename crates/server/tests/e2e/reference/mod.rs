//! What the reference's own tests and worked examples say (reference 18.1, D.1, D.2), where no other module says it already.
//! The table at the end of SEMANTICS.md names the test for each of them.
#![cfg(unix)]

mod accounts;
mod directories;
mod files;
mod filters;
mod statuses;
mod system;
