//! What running a program takes of the operating system: finding it, confining it, starting it, ending it with all it
//! started. Linux only, as the local back end is.

pub(super) mod confine;
pub(super) mod find;
pub(crate) mod process;
