//! Ports to try, when none was asked for.

use std::net::{SocketAddr, TcpListener};
use std::ops::Range;

use crate::app::AppError;

/// Those that the reference takes, so that rules of firewalls stay right (reference 15.1).
const RANGE: Range<u16> = 49152..64152;
/// How many are tried.
const ATTEMPTS: usize = 32;

/// The port that was asked for, or several by chance.
pub(super) fn candidates(asked: u16) -> Result<Vec<u16>, AppError> {
    if asked != 0 {
        return Ok(vec![asked]);
    }
    let mut random = [0_u8; 2 * ATTEMPTS];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| AppError("this machine gives no random numbers".to_owned()))?;
    let width = RANGE.end - RANGE.start;
    let ports = random.as_chunks::<2>().0.iter();
    Ok(ports
        .map(|bytes| RANGE.start + u16::from_ne_bytes(*bytes) % width)
        .collect())
}

/// Whether somebody else listens there.
pub(super) fn is_taken(address: SocketAddr) -> bool {
    let bound = TcpListener::bind(address);
    bound.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_asked_for_is_the_only_one() {
        assert_eq!(candidates(2022).unwrap(), [2022]);
    }

    #[test]
    fn others_are_of_the_range_of_the_reference() {
        let ports = candidates(0).unwrap();
        assert_eq!(ports.len(), ATTEMPTS);
        assert!(ports.iter().all(|port| (49152..=64151).contains(port)));
    }

    #[test]
    fn a_port_in_use_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(is_taken(address));
        drop(listener);
        assert!(!is_taken(address));
    }
}
