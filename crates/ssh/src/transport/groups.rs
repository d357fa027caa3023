//! The groups of which clients choose a size (`diffie-hellman-group-exchange-*`, RFC 4419).

use russh::client::GexParams;
use russh::kex::dh::groups::{DH_GROUP14, DH_GROUP15, DH_GROUP16, DhGroup};

/// Smallest first. Well-known ones of safe primes (RFC 3526); larger ones cost more than they protect, and anybody may ask.
static GROUPS: [DhGroup; 3] = [DH_GROUP14, DH_GROUP15, DH_GROUP16];

/// The smallest group that is as large as preferred, else the largest within the bounds; `None` if there is none.
pub(super) fn choose(wanted: &GexParams) -> Option<DhGroup> {
    choose_within(
        wanted.min_group_size(),
        wanted.preferred_group_size(),
        wanted.max_group_size(),
    )
}

fn choose_within(min: usize, preferred: usize, max: usize) -> Option<DhGroup> {
    let fitting = || {
        GROUPS
            .iter()
            .filter(|group| (min..=max).contains(&group.bit_size()))
    };
    let enough = fitting().find(|group| group.bit_size() >= preferred);
    enough.or_else(|| fitting().next_back()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_as_large_as_preferred_and_never_out_of_bounds() {
        for ((min, preferred, max), expected) in [
            ((2048, 2048, 2048), Some(2048)),
            ((1024, 1024, 8192), Some(2048)),
            ((1024, 2048, 8192), Some(2048)),
            ((2048, 2049, 8192), Some(3072)),
            ((2048, 8192, 8192), Some(4096)),
            ((2048, 8192, 3072), Some(3072)),
            ((1024, 1024, 1024), None),
            ((8192, 8192, 8192), None),
        ] {
            let group = choose_within(min, preferred, max);
            assert_eq!(
                group.map(|group| group.bit_size()),
                expected,
                "{min} {preferred} {max}"
            );
        }
    }
}
