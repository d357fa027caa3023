//! Keys made here and certificates made by `ssh-keygen`, against the rules.

mod certificates;
mod grants;
mod made;
mod signatures;
