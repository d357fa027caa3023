//! Where parts of the user list begin: who walks a long list by offsets goes on from the part before, instead of through all
//! names again.
//!
//! A place is right only as long as nobody comes or goes before it. Changes of this server drop all places at once; those of
//! others are not told, so a place is used for a few seconds, in which a list that is walked may not be exact anyway.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::provider::UserQuery;

/// From so many accounts to leave out on, places are remembered: to go through fewer costs next to nothing.
const FAR: u32 = 10_000;
/// How long a place is used.
const LIFETIME: Duration = Duration::from_secs(5);
/// Places of all who walk at the same time; the oldest go.
const MOST: usize = 64;

/// The last places of lists.
#[derive(Debug, Default)]
pub(super) struct Bookmarks(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    /// How often somebody came or went: what was read before is no place any more.
    edition: u64,
    places: VecDeque<Bookmark>,
}

#[derive(Debug)]
struct Bookmark {
    /// The list: a query without limit and offset.
    list: UserQuery,
    /// Accounts up to and with the one of the name.
    offset: u32,
    name: String,
    made: Instant,
}

impl Bookmarks {
    /// To be asked before a part of a list is read, for [`note`](Self::note).
    pub(super) fn edition(&self) -> u64 {
        self.0.lock().edition
    }

    /// The furthest place that is known on the way to what is asked for, and how many accounts lie before what comes after it.
    pub(super) fn before(&self, query: &UserQuery) -> Option<(String, u32)> {
        if query.offset < FAR {
            return None;
        }
        let list = list(query);
        let places = &mut self.0.lock().places;
        places.retain(|place| place.made.elapsed() < LIFETIME);
        places
            .iter()
            .filter(|place| place.offset <= query.offset && place.list == list)
            .max_by_key(|place| place.offset)
            .map(|place| (place.name.clone(), place.offset))
    }

    /// Notes that so many accounts of the query's list ended with this name, if nobody came or went since `edition`.
    pub(super) fn note(&self, query: &UserQuery, offset: u32, name: &str, edition: u64) {
        let state = &mut *self.0.lock();
        if offset < FAR || edition != state.edition {
            return;
        }
        let list = list(query);
        let places = &mut state.places;
        places.retain(|place| place.offset != offset || place.list != list);
        if places.len() >= MOST {
            places.pop_front();
        }
        places.push_back(Bookmark {
            list,
            offset,
            name: name.to_owned(),
            made: Instant::now(),
        });
    }

    /// Somebody came or went.
    pub(super) fn clear(&self) {
        let mut state = self.0.lock();
        state.edition = state.edition.wrapping_add(1);
        state.places.clear();
    }
}

fn list(query: &UserQuery) -> UserQuery {
    UserQuery {
        limit: 0,
        offset: 0,
        ..query.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::SortOrder;

    fn at(offset: u32) -> UserQuery {
        UserQuery {
            limit: 100,
            offset,
            ..UserQuery::default()
        }
    }

    #[test]
    fn the_furthest_place_before_what_is_asked_for_is_used() {
        let places = Bookmarks::default();
        for (offset, name) in [(10_000, "a"), (20_000, "b"), (30_000, "c")] {
            places.note(&at(0), offset, name, 0);
        }
        for (offset, expected) in [
            (9_999, None),
            (10_000, Some(("a", 10_000))),
            (29_999, Some(("b", 20_000))),
            (u32::MAX, Some(("c", 30_000))),
        ] {
            let expected = expected.map(|(name, offset)| (name.to_owned(), offset));
            assert_eq!(places.before(&at(offset)), expected, "{offset}");
        }
        let other = UserQuery {
            order: SortOrder::Descending,
            ..at(30_000)
        };
        assert_eq!(places.before(&other), None);
        places.clear();
        assert_eq!(places.before(&at(30_000)), None);
        // Read before, noted afterwards.
        places.note(&at(0), 30_000, "c", 0);
        assert_eq!(places.before(&at(30_000)), None);
        places.note(&at(0), 30_000, "c", places.edition());
        assert!(places.before(&at(30_000)).is_some());
    }

    #[test]
    fn near_places_and_more_than_so_many_are_not_kept() {
        let places = Bookmarks::default();
        places.note(&at(0), FAR - 1, "near", 0);
        for offset in FAR..FAR + 100 {
            places.note(&at(0), offset, "a", 0);
            places.note(&at(0), offset, "b", 0);
        }
        let kept = &places.0.lock().places;
        assert_eq!(kept.len(), MOST);
        assert!(kept.iter().all(|place| place.name == "b"));
        assert_eq!(kept.back().map(|place| place.offset), Some(FAR + 99));
    }
}
