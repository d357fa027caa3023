//! The mode in `C` and `D` records.

/// Modes that were not told.
const DIRECTORY: u32 = 0o755;
const FILE: u32 = 0o644;

/// What a source announces for a `st_mode`: the permission bits, and a first digit in which setuid counts two and setgid four,
/// the other way round than in `st_mode`. The existing clients of the server that this one stands in for have seen it so
/// (reference 7.4).
pub const fn announced_mode(mode: u32, directory: bool) -> u32 {
    let bits = mode & 0o7777;
    if bits == 0 {
        return if directory { DIRECTORY } else { FILE };
    }
    let sticky = bits & 0o1000;
    let setuid = (bits & 0o4000) >> 1;
    let setgid = (bits & 0o2000) << 1;
    (bits & 0o777) | sticky | setuid | setgid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_digit_is_that_of_the_reference() {
        for (mode, directory, expected) in [
            (0, true, "0755"),
            (0, false, "0644"),
            (0o100_640, false, "0640"),
            (0o040_750, true, "0750"),
            (0o102_644, false, "4644"),
            (0o104_600, false, "2600"),
            (0o041_777, true, "1777"),
            (0o107_777, false, "7777"),
        ] {
            assert_eq!(format!("{:04o}", announced_mode(mode, directory)), expected);
        }
    }
}
