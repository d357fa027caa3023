//! What a path with wildcards means: elsewhere a shell says it before `scp` runs.

use sftpgo_core::model::VirtualPath;
use sftpgo_core::{OpError, OpErrorKind, OpResult, Session};
use sftpgo_wire::scp::{NamePattern, PathPattern, Step};

/// Paths that one word may mean, and their bytes; about what a shell could hand to a program.
const MAX_PATHS: usize = 16_384;
const MAX_BYTES: usize = 4 << 20;
/// Directories and names that are looked at for one word.
const MAX_LOOKS: usize = 16_384;
/// Entries taken from a listing at a time.
const PAGE: usize = 256;

/// The paths that a word means: sorted, as a shell gives them; the word itself if it is not wild, or if nothing matches.
///
/// Directories that the account may neither list nor download match nothing.
pub(super) async fn expand(session: &Session, pattern: &PathPattern) -> OpResult<Vec<VirtualPath>> {
    let literal = || Ok(vec![VirtualPath::parse(&pattern.literal)?]);
    if !pattern.is_wild() {
        return literal();
    }
    let mut expansion = Expansion {
        session,
        looks: MAX_LOOKS,
    };
    let mut found = vec![VirtualPath::root()];
    let mut wild = false;
    for step in &pattern.steps {
        found = match step {
            Step::Matching(name) => {
                wild = true;
                expansion.matching(&found, name).await?
            }
            Step::Name(name) => {
                let named = found.iter().map(|path| path.resolve(name));
                let named = named.collect::<Result<Vec<_>, _>>()?;
                if wild {
                    expansion.existing(named).await?
                } else {
                    named
                }
            }
        };
    }
    if found.is_empty() {
        return literal();
    }
    Ok(found)
}

struct Expansion<'a> {
    session: &'a Session,
    looks: usize,
}

impl Expansion<'_> {
    fn count_a_look(&mut self) -> OpResult<()> {
        self.looks = self.looks.checked_sub(1).ok_or_else(too_many)?;
        Ok(())
    }

    /// What matches in each of the directories.
    async fn matching(
        &mut self,
        directories: &[VirtualPath],
        pattern: &NamePattern,
    ) -> OpResult<Vec<VirtualPath>> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        for directory in directories {
            self.count_a_look()?;
            let Ok(mut listing) = self.session.list_names(directory).await else {
                continue;
            };
            let from = found.len();
            while let Ok(page) = listing.next_page(PAGE).await
                && !page.is_empty()
            {
                for entry in page.iter().filter(|entry| pattern.matches(&entry.name)) {
                    let Ok(path) = directory.join(&entry.name) else {
                        continue;
                    };
                    bytes += path.as_bytes().len();
                    found.push(path);
                    if found.len() > MAX_PATHS || bytes > MAX_BYTES {
                        return Err(too_many());
                    }
                }
            }
            if let Some(new) = found.get_mut(from..) {
                new.sort_unstable();
            }
        }
        Ok(found)
    }

    /// Those of the paths that lead to something.
    async fn existing(&mut self, paths: Vec<VirtualPath>) -> OpResult<Vec<VirtualPath>> {
        let mut found = Vec::new();
        for path in paths {
            self.count_a_look()?;
            if let Ok(Some(_)) = self.session.look(&path).await {
                found.push(path);
            }
        }
        Ok(found)
    }
}

fn too_many() -> OpError {
    OpError::new(OpErrorKind::InvalidArgument, "too many files match")
}
