//! Keys made here and certificates made by `ssh-keygen`, against the rules.

mod certificates;
mod grants;
mod made;
mod signatures;

use super::algorithm::AcceptedSignatures;
use super::offered::{KeyError, OfferedKey};

/// A key as it is offered where SHA-1 is not accepted.
fn offered_key(algorithm: &str, blob: &[u8]) -> Result<OfferedKey, KeyError> {
    OfferedKey::parse(algorithm, blob, &AcceptedSignatures::default())
}
