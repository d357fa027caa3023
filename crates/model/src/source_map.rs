//! A map by [`Source`] whose size nobody can drive up.

use std::collections::HashMap;

use crate::source::Source;

/// Holds at most so many entries. When one more is to be added, those that are worth least go until `kept` are left: all of
/// them are looked at then, which is rare as long as `kept` is well below the most.
#[derive(Debug, Clone)]
pub struct SourceMap<T> {
    entries: HashMap<Source, T>,
    kept: usize,
    most: usize,
}

impl<T> SourceMap<T> {
    /// An empty map for `most` entries, at least one, of which `kept`, fewer than that, stay when it is full.
    pub fn new(kept: usize, most: usize) -> Self {
        let most = most.max(1);
        Self {
            entries: HashMap::new(),
            kept: kept.min(most - 1),
            most,
        }
    }

    /// The entry of a source.
    pub fn get(&self, source: Source) -> Option<&T> {
        self.entries.get(&source)
    }

    /// The entry of a source, to be changed.
    pub fn get_mut(&mut self, source: Source) -> Option<&mut T> {
        self.entries.get_mut(&source)
    }

    /// Takes the entry of a source out.
    pub fn remove(&mut self, source: Source) -> Option<T> {
        self.entries.remove(&source)
    }

    /// The entry of a source; `make` makes it if there is none. `worth` says which entries stay if there is no room for it.
    pub fn entry<W: Ord>(
        &mut self,
        source: Source,
        make: impl FnOnce() -> T,
        worth: impl Fn(&T) -> W,
    ) -> &mut T {
        if self.entries.len() >= self.most && !self.entries.contains_key(&source) {
            self.make_room(worth);
        }
        self.entries.entry(source).or_insert_with(make)
    }

    fn make_room<W: Ord>(&mut self, worth: impl Fn(&T) -> W) {
        let excess = self.entries.len().saturating_sub(self.kept);
        let mut all: Vec<(W, Source)> = self
            .entries
            .iter()
            .map(|(source, entry)| (worth(entry), *source))
            .collect();
        if excess < all.len() {
            all.select_nth_unstable(excess);
        }
        for (_, source) in all.into_iter().take(excess) {
            self.entries.remove(&source);
        }
    }

    /// Every entry, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Source, &T)> {
        self.entries.iter().map(|(source, entry)| (*source, entry))
    }

    /// Takes out whatever `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.entries.retain(|_, entry| keep(entry));
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;

    fn source(number: u32) -> Source {
        Source::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_full_map_lets_go_of_what_is_worth_least() {
        let mut map = SourceMap::new(2, 4);
        for number in [7, 1, 9, 3] {
            map.entry(source(number), || number, |worth| *worth);
        }
        // There already: nothing goes.
        map.entry(source(1), || 0, |worth| *worth);
        assert_eq!(map.len(), 4);
        map.entry(source(2), || 2, |worth| *worth);
        let mut left: Vec<u32> = map.iter().map(|(_, worth)| *worth).collect();
        left.sort_unstable();
        assert_eq!(left, [2, 7, 9]);
    }

    proptest! {
        #[test]
        fn a_map_never_holds_more_than_it_may(
            kept in 0_usize..20,
            most in 0_usize..20,
            numbers in proptest::collection::vec(0_u32..40, 0..200),
        ) {
            let mut map = SourceMap::new(kept, most);
            for number in numbers {
                let entry = map.entry(source(number), || number, |worth| *worth);
                prop_assert_eq!(*entry, number);
                prop_assert!(map.len() <= most.max(1));
            }
        }
    }
}
