//! `rsync --server` for one transfer.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use sftpgo_model::{Permission, PermissionSet, VirtualPath};
use sftpgo_storage::{FileKind, Links, Native};

use super::glob::has_pattern;
use super::linux::confine::{Allowed, Confinement};
use super::linux::find::{PATH, Tool};
use super::linux::process::Launch;
use super::supervise::{Plan, Program};
use super::{READ, WRITE};
use crate::access::Tree;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::session::Session;

/// Sources of one transfer, patterns expanded.
const MAX_SOURCES: usize = 1000;

/// A transfer with rsync. The options were checked by whoever parsed the client's command line.
#[derive(Debug, Clone)]
pub struct RsyncRequest {
    /// Whether files are sent to the client; else they are received.
    pub sender: bool,
    /// The options, an argument each.
    pub options: Vec<Vec<u8>>,
    /// Paths as the client wrote them.
    pub paths: Vec<Vec<u8>>,
    /// Names are sent with the directories of the path.
    pub relative: bool,
    /// Missing directories above the destination are made.
    pub make_path: bool,
    /// Links that lead out of the transfer are left out by the options.
    pub safe_links: bool,
    /// Links are made harmless by the options.
    pub munge_links: bool,
    /// Privileged attributes are stored and not set.
    pub fake_super: bool,
    /// A source that is a link is followed.
    pub follows_links: bool,
    /// Files are removed when they have been sent.
    pub removes_sources: bool,
}

impl RsyncRequest {
    /// Whether files of the account change.
    fn writes(&self) -> bool {
        !self.sender || self.removes_sources
    }

    /// What is needed of every source.
    fn needs(&self) -> PermissionSet {
        if self.removes_sources { WRITE } else { READ }
    }
}

/// Where a transfer happens.
struct Place {
    directory: Arc<std::os::fd::OwnedFd>,
    objects: Vec<Allowed>,
    arguments: Vec<OsString>,
    /// What the transfer is listed under.
    path: VirtualPath,
    /// Whether links may be made there.
    may_link: bool,
}

impl Session {
    /// Starts the serving side of a transfer.
    ///
    /// # Errors
    /// Reference 8.4: `Unsupported` for accounts with virtual folders or filtered names; permissions; quota. `Unsupported`
    /// also where the system cannot confine programs: rsync opens what it works on by names, and whoever swaps one of them
    /// for a link leads it anywhere.
    pub async fn rsync(&self, request: &RsyncRequest) -> OpResult<Program> {
        let slot = self.program_slot()?;
        let user = &self.user();
        if !user.virtual_folders.is_empty() || !user.extension_rules.is_empty() {
            return Err(OpError::new(
                OpErrorKind::Unsupported,
                "rsync is not served to accounts with virtual folders or filtered file names",
            ));
        }
        if !self.core().programs_are_confined() {
            return Err(OpError::new(
                OpErrorKind::Unsupported,
                "rsync is not served: the system of the server cannot confine it",
            ));
        }
        let program = Tool::Rsync.find()?;
        let place = if request.sender {
            self.sources(request).await?
        } else {
            self.check_not_full().await?;
            let place = self.destination(request).await?;
            self.ask_about_tree(&place.path, true).await?;
            place
        };
        let mut arguments: Vec<OsString> = vec!["--server".into()];
        if request.sender {
            arguments.push("--sender".into());
        }
        let options = request.options.iter().cloned();
        arguments.extend(options.map(OsString::from_vec));
        arguments.extend(own_options(request, place.may_link).map(OsString::from));
        arguments.push(".".into());
        arguments.extend(place.arguments);
        let launch = Launch {
            confinement: Confinement {
                objects: place.objects,
                executables: Tool::Rsync.executables(&program),
            },
            program,
            arguments,
            environment: [
                ("PATH", PATH),
                ("LANG", "C.UTF-8"),
                ("HOME", "/nonexistent"),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
            directory: place.directory,
            owner: (user.uid, user.gid),
        };
        let plan = Plan {
            launch,
            path: place.path,
            writes: request.writes(),
            stores: !request.sender,
            renewable: true,
        };
        self.launch(plan, slot).await
    }

    /// Everything that is to be sent, each path checked and pinned. rsync runs in the home, and of that can open only these.
    async fn sources(&self, request: &RsyncRequest) -> OpResult<Place> {
        let home = self
            .tree_object(&VirtualPath::root(), Links::Follow, None)
            .await?;
        let mut place = Place {
            directory: Arc::new(home.object),
            objects: Vec::new(),
            arguments: Vec::new(),
            path: VirtualPath::root(),
            may_link: false,
        };
        for (index, raw) in request.paths.iter().enumerate() {
            let wanted = Wanted::parse(raw, request.relative)?;
            for wanted in self.existing(wanted, request).await? {
                if index == 0 {
                    place.path = wanted.path.clone();
                }
                if place.arguments.len() >= MAX_SOURCES {
                    return Err(OpError::new(
                        OpErrorKind::InvalidArgument,
                        "too many sources",
                    ));
                }
                self.add_source(&mut place, &wanted, request).await?;
            }
        }
        place.may_link = self.has(&place.path, Permission::CreateSymlinks);
        Ok(place)
    }

    /// The path, or what it is a pattern for.
    async fn existing(&self, wanted: Wanted, request: &RsyncRequest) -> OpResult<Vec<Wanted>> {
        if !has_pattern(&wanted.path) || wanted.pivot.is_some() {
            return Ok(vec![wanted]);
        }
        let there = self
            .tree_object(&wanted.path, Links::NoFollow, Some(request.needs()))
            .await;
        if !there.is_err_and(|error| error.kind() == OpErrorKind::NotFound) {
            return Ok(vec![wanted]);
        }
        let found = self.expand(&wanted.path).await?;
        if found.is_empty() {
            return Ok(vec![wanted]);
        }
        let slash = wanted.slash;
        let each = found.into_iter().map(|path| Wanted {
            path,
            slash,
            pivot: None,
        });
        Ok(each.collect())
    }

    async fn add_source(
        &self,
        place: &mut Place,
        wanted: &Wanted,
        request: &RsyncRequest,
    ) -> OpResult<()> {
        // rsync sends a link as a link unless it is told to follow it, or the path goes on behind it.
        let links = if wanted.slash || request.follows_links {
            Links::Follow
        } else {
            Links::NoFollow
        };
        let needs = request.needs();
        match self.tree_object(&wanted.path, links, Some(needs)).await {
            Ok(found) => {
                self.ask_about_tree(&wanted.path, request.removes_sources)
                    .await?;
                let directory = found.kind == FileKind::Directory;
                // The text of a link needs no right of its own.
                if found.kind != FileKind::Symlink {
                    place.objects.push(Allowed {
                        directory,
                        object: Arc::new(found.object),
                        write: request.removes_sources && directory,
                    });
                }
                // A name is removed in the directory above.
                if request.removes_sources && !directory {
                    let above = wanted.path.parent();
                    let found = self.tree_object(&above, Links::Follow, Some(needs)).await?;
                    place.objects.push(Allowed {
                        directory: true,
                        object: Arc::new(found.object),
                        write: true,
                    });
                }
            }
            // rsync tells the client, and goes on with the others.
            Err(error) if error.kind() == OpErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        place.arguments.push(wanted.argument());
        Ok(())
    }

    /// Where files are received: a directory that is there, or its last name in a directory that is.
    async fn destination(&self, request: &RsyncRequest) -> OpResult<Place> {
        let raw = request.paths.first().map(Vec::as_slice).unwrap_or_default();
        let wanted = Wanted::parse(raw, false)?;
        match self
            .tree_object(&wanted.path, Links::Follow, Some(WRITE))
            .await
        {
            Ok(found) if found.kind == FileKind::Directory => {
                let may_link = self.may_link_in(&wanted.path).await;
                return Ok(Place::receiving(found, wanted.path, "./".into(), may_link));
            }
            Ok(_) => {}
            Err(error) if error.kind() == OpErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // A file, or nothing yet: rsync works in the directory above.
        let mut above = wanted.path.parent();
        loop {
            match self.tree_object(&above, Links::Follow, Some(WRITE)).await {
                Err(error)
                    if request.make_path
                        && error.kind() == OpErrorKind::NotFound
                        && !above.is_root() =>
                {
                    above = above.parent();
                }
                found => {
                    let found = found?;
                    if found.kind != FileKind::Directory {
                        return Err(OpErrorKind::NotADirectory.into());
                    }
                    let below = wanted
                        .path
                        .strip_prefix(&above)
                        .unwrap_or_else(|| wanted.path.to_storage());
                    let argument = dotted(below.as_bytes(), wanted.slash);
                    let may_link = self.may_link_in(&above).await;
                    return Ok(Place::receiving(found, wanted.path, argument, may_link));
                }
            }
        }
    }

    /// Whether links may be made everywhere in a directory, also where links lead to it.
    async fn may_link_in(&self, directory: &VirtualPath) -> bool {
        let needs = Some(WRITE.with(Permission::CreateSymlinks));
        let object = self.tree_object(directory, Links::Follow, needs).await;
        object.is_ok()
    }

    /// The object at a path, with permissions checked for all of it.
    async fn tree_object(
        &self,
        path: &VirtualPath,
        links: Links,
        needs: Option<PermissionSet>,
    ) -> OpResult<Native> {
        let tree = Tree {
            needs: needs.unwrap_or_default(),
            home_only: true,
            unfiltered: true,
        };
        let permit = self.permit_tree(path, tree)?;
        Ok(permit.storage()?.native(&permit.target, links).await?)
    }
}

impl Place {
    fn receiving(found: Native, path: VirtualPath, argument: OsString, may_link: bool) -> Self {
        let directory = Arc::new(found.object);
        let allowed = Allowed {
            object: Arc::clone(&directory),
            directory: true,
            write: true,
        };
        Self {
            directory,
            objects: vec![allowed],
            arguments: vec![argument],
            path,
            may_link,
        }
    }
}

/// What we add to the client's options.
fn own_options(request: &RsyncRequest, may_link: bool) -> impl Iterator<Item = &'static str> {
    let links = match (may_link, request.safe_links, request.munge_links) {
        // What the client says is enough for who may make links, and only for them.
        (true, true, _) | (_, _, true) => None,
        (true, false, false) => Some("--safe-links"),
        (false, _, false) => Some("--munge-links"),
    };
    let receiver = !request.sender;
    // Owners and devices are not the client's to choose, whoever the server runs as.
    let plain = (receiver && !request.fake_super).then_some("--no-super");
    // Nor are bits that make programs run as somebody else.
    let modes = receiver.then_some("--chmod=ug-s");
    links.into_iter().chain(plain).chain(modes)
}

/// A path as a client of rsync means it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    path: VirtualPath,
    /// It ends in `/`: the contents of a directory, not the directory.
    slash: bool,
    /// With `--relative`: names are sent from below here (`/./` in the path).
    pivot: Option<VirtualPath>,
}

impl Wanted {
    fn parse(raw: &[u8], relative: bool) -> OpResult<Self> {
        let path = VirtualPath::parse(raw)?;
        let last = raw.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let slash = matches!(last, b"" | b"." | b"..") || path.is_root();
        let pivot = raw
            .windows(3)
            .position(|three| three == b"/./")
            .filter(|_| relative)
            .and_then(|at| raw.get(..at))
            .map(VirtualPath::parse)
            .transpose()?
            // Dots may lead the rest out of it again.
            .filter(|pivot| path.is_within(pivot));
        Ok(Self { path, slash, pivot })
    }

    /// The path as seen from the home; never absolute, never an option.
    fn argument(&self) -> OsString {
        let Some(pivot) = &self.pivot else {
            return dotted(self.path.to_storage().as_bytes(), self.slash);
        };
        let rest = self.path.strip_prefix(pivot);
        let mut argument = dotted(pivot.to_storage().as_bytes(), false).into_vec();
        argument.extend_from_slice(b"/./");
        argument.extend_from_slice(
            rest.as_ref()
                .map(|rest| rest.as_bytes())
                .unwrap_or_default(),
        );
        if self.slash && !argument.ends_with(b"/") {
            argument.push(b'/');
        }
        OsString::from_vec(argument)
    }
}

fn dotted(below: &[u8], slash: bool) -> OsString {
    let mut argument = b"./".to_vec();
    argument.extend_from_slice(below);
    if slash && !below.is_empty() {
        argument.push(b'/');
    }
    OsString::from_vec(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(raw: &str, relative: bool) -> String {
        let wanted = Wanted::parse(raw.as_bytes(), relative).unwrap();
        wanted.argument().into_string().unwrap()
    }

    #[test]
    fn a_path_becomes_one_below_the_home_that_is_no_option() {
        for (raw, expected) in [
            (".", "./"),
            ("", "./"),
            ("/", "./"),
            ("..", "./"),
            ("a", "./a"),
            ("/a/b/", "./a/b/"),
            ("a/.", "./a/"),
            ("../../etc/passwd", "./etc/passwd"),
            ("--rsync-path=x", "./--rsync-path=x"),
            ("-e", "./-e"),
            ("a/./b", "./a/b"),
        ] {
            assert_eq!(argument(raw, false), expected, "{raw}");
        }
    }

    #[test]
    fn who_may_make_no_links_gets_harmless_ones_whatever_the_options_say() {
        for (may_link, safe_links, munge_links, expected) in [
            (true, false, false, Some("--safe-links")),
            (true, true, false, None),
            (true, false, true, None),
            (false, false, false, Some("--munge-links")),
            (false, true, false, Some("--munge-links")),
            (false, true, true, None),
        ] {
            let request = RsyncRequest {
                sender: true,
                options: Vec::new(),
                paths: Vec::new(),
                relative: false,
                make_path: false,
                safe_links,
                munge_links,
                fake_super: false,
                follows_links: false,
                removes_sources: false,
            };
            let added = own_options(&request, may_link).next();
            assert_eq!(added, expected, "{may_link} {safe_links} {munge_links}");
        }
    }

    #[test]
    fn the_pivot_of_relative_names_stays() {
        for (raw, expected) in [
            ("a/./b/c", "./a/./b/c"),
            ("/a/./b/", "./a/./b/"),
            ("/a/./../../etc", "./etc"),
            ("a/b", "./a/b"),
        ] {
            assert_eq!(argument(raw, true), expected, "{raw}");
        }
    }
}
