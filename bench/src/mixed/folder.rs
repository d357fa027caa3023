//! What a session's directory must hold, and the jobs that change it.

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;
use crate::content::Content;
use crate::upload::Job;

/// Files that a session keeps at most.
const MOST_FILES: usize = 16;

/// Sizes at the edges of packets, pages and requests, and some that take many of them.
const SIZES: &[u64] = &[
    0, 1, 100, 4095, 4096, 4097, 20_000, 32_767, 32_768, 32_769, 65_536, 100_000, 100_000, 261_119,
    261_121, 300_000, 524_288, 1_000_000, 1_048_577, 2_500_000,
];

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) content: Content,
    pub(crate) size: u64,
}

/// The directory of one session.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) root: String,
    files: BTreeMap<String, Stored>,
    /// Leftovers of abandoned uploads: they may be there, whole or in part, or not.
    pub(crate) loose: BTreeMap<String, Stored>,
    made: u64,
}

impl Stored {
    /// New content of some size.
    pub(crate) fn random(random: &mut Random) -> Self {
        Self {
            content: Content::new(random.number()),
            size: random.one_of(SIZES, 1),
        }
    }

    /// New content of a few hundred KiB and more, so that there is a midst in which to leave.
    pub(crate) fn long(random: &mut Random) -> Self {
        Self {
            content: Content::new(random.number()),
            size: 300_000 + random.below(3_000_000),
        }
    }
}

impl Folder {
    pub(crate) fn new(root: String) -> Self {
        Self {
            root,
            files: BTreeMap::new(),
            loose: BTreeMap::new(),
            made: 0,
        }
    }

    pub(crate) fn path(&self, name: &str) -> Vec<u8> {
        format!("{}/{name}", self.root).into_bytes()
    }

    pub(crate) fn files(&self) -> &BTreeMap<String, Stored> {
        &self.files
    }

    pub(crate) fn is_full(&self) -> bool {
        self.files.len() >= MOST_FILES
    }

    /// A name that was never used; some are of the kind that careless quoting breaks.
    pub(crate) fn new_name(&mut self, random: &mut Random) -> String {
        self.made += 1;
        let made = self.made;
        match random.below(6) {
            0 => format!("two words {made}"),
            1 => format!("it's \"{made}\" & $HOME;*"),
            2 => format!("größe-{made}.txt"),
            _ => format!("f{made}"),
        }
    }

    /// One of the files.
    pub(crate) fn any(&self, random: &mut Random) -> Option<(String, Stored)> {
        let nth = random.index(self.files.len());
        let (name, stored) = self.files.iter().nth(nth)?;
        Some((name.clone(), *stored))
    }

    /// Up to `count` different files.
    pub(crate) fn some(&self, random: &mut Random, count: usize) -> Vec<(String, Stored)> {
        let mut names = BTreeSet::new();
        for _ in 0..count {
            names.extend(self.any(random).map(|(name, _)| name));
        }
        let entry = |name: String| self.files.get(&name).map(|stored| (name, *stored));
        names.into_iter().filter_map(entry).collect()
    }

    /// A place to write to: a new name, or, often if there are many files, one that is there.
    pub(crate) fn place(&mut self, random: &mut Random) -> String {
        let reuse = if self.is_full() { 100 } else { 30 };
        if random.percent(reuse)
            && let Some((name, _)) = self.any(random)
        {
            return name;
        }
        self.new_name(random)
    }

    pub(crate) fn keep(&mut self, name: String, stored: Stored) {
        self.files.insert(name, stored);
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.files.remove(name);
    }

    /// A transfer of a file, with requests of some size and some depth.
    pub(crate) fn job(&self, name: &str, stored: Stored, random: &mut Random) -> Job {
        job(self.path(name), stored, random)
    }
}

/// A transfer with requests as clients send them: one by one and small, or many and large.
pub(crate) fn job(path: Vec<u8>, stored: Stored, random: &mut Random) -> Job {
    const WAYS: &[(u32, usize)] = &[
        (32_768, 64),
        (32_768, 16),
        (32_768, 1),
        (16_384, 8),
        (8_000, 32),
        (261_120, 8),
        (261_120, 2),
    ];
    let (request, depth) = random.one_of(WAYS, (32_768, 64));
    Job {
        path,
        content: stored.content,
        size: stored.size,
        request,
        depth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_every_decision() {
        let names = |seed| {
            let mut random = Random::new(seed);
            let mut folder = Folder::new("/x".into());
            for _ in 0..40 {
                let name = folder.place(&mut random);
                let stored = Stored::random(&mut random);
                folder.keep(name, stored);
            }
            folder.files
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }

    #[test]
    fn a_full_folder_grows_no_further() {
        let mut random = Random::new(3);
        let mut folder = Folder::new("/x".into());
        for _ in 0..200 {
            let name = folder.place(&mut random);
            let stored = Stored::random(&mut random);
            folder.keep(name, stored);
        }
        assert_eq!(folder.files.len(), MOST_FILES);
    }
}
