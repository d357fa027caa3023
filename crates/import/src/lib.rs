//! Accounts of other systems: their files in, users and a report out.
