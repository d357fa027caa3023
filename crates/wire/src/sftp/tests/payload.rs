//! Bytes in several slices behave as if they were in one.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Payload;

fn payload(parts: &[Vec<u8>]) -> Payload {
    parts.iter().cloned().map(Bytes::from).collect()
}

fn parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..6), 0..8)
}

proptest! {
    #[test]
    fn slices_add_up_to_the_whole(parts in parts()) {
        let payload = payload(&parts);
        let whole = parts.concat();
        prop_assert_eq!(payload.len(), whole.len());
        prop_assert_eq!(payload.is_empty(), whole.is_empty());
        prop_assert_eq!(&payload.to_bytes()[..], &whole[..]);
        prop_assert!(payload.segments().iter().all(|segment| !segment.is_empty()));
        prop_assert_eq!(payload, Payload::from(Bytes::from(whole)));
    }

    #[test]
    fn cutting_takes_the_front_and_leaves_the_rest(
        parts in parts(),
        cuts in vec((0..4_u8, 0..10_usize), 0..8),
    ) {
        let mut payload = payload(&parts);
        let whole = parts.concat();
        let mut rest = &whole[..];
        for (kind, count) in cuts {
            let expected = rest.split_at_checked(count);
            let taken = match kind {
                0 => payload.split_to(count).map(|taken| taken.to_bytes()),
                1 => payload.take_bytes(count),
                2 => expected.map(|(front, _)| {
                    payload.advance(count);
                    Bytes::copy_from_slice(front)
                }),
                _ => {
                    let expected = rest.split_at_checked(4);
                    let taken = payload.take_array::<4>();
                    prop_assert_eq!(taken.as_ref().map(|taken| &taken[..]), expected.map(|e| e.0));
                    rest = expected.map_or(rest, |(_, after)| after);
                    continue;
                }
            };
            prop_assert_eq!(taken.as_deref(), expected.map(|(front, _)| front));
            rest = expected.map_or(rest, |(_, after)| after);
            prop_assert_eq!(&payload.to_bytes()[..], rest);
            prop_assert_eq!(payload.len(), rest.len());
        }
    }

    #[test]
    fn a_payload_grows_at_its_end_after_cuts(before in parts(), cut in 0..20_usize, after in parts()) {
        let mut payload = payload(&before);
        payload.advance(cut);
        let mut whole = before.concat();
        whole.drain(..cut.min(whole.len()));
        for part in after {
            whole.extend_from_slice(&part);
            payload.push(Bytes::from(part));
        }
        prop_assert_eq!(&payload.to_bytes()[..], &whole[..]);
    }
}

#[test]
fn advancing_past_the_end_empties() {
    let mut payload = payload(&[vec![1], vec![2, 3]]);
    payload.advance(100);
    assert!(payload.is_empty());
    assert!(payload.segments().is_empty());
}

#[test]
fn one_slice_is_not_copied_together() {
    let bytes = Bytes::from(vec![1; 100]);
    let payload = Payload::from(bytes.clone());
    assert_eq!(payload.to_bytes().as_ptr(), bytes.as_ptr());
}

#[test]
fn debug_shows_no_contents() {
    let payload = Payload::from(Bytes::from_static(b"secret"));
    assert_eq!(format!("{payload:?}"), "Payload { len: 6, segments: 1 }");
}
