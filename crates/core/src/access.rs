//! The access check. Its result, a `Permit`, is the only way to a storage.

use std::sync::Arc;

use parking_lot::Mutex;
use sftpgo_model::{Permission, PermissionSet, StoragePath, User, VirtualPath};
use sftpgo_storage::{Guard, Storage, Target};

use crate::action::Place;
use crate::error::{OpError, OpErrorKind, OpResult};
use crate::mounts::{Mount, Mounts};

/// Which directory's permissions count for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of the directory that holds it: everything that acts on an entry.
    Parent,
    /// Its own: listing a directory.
    Itself,
}

/// What is needed to act on a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// Any one of these is enough; which one it must be in the end may depend on what is there (upload or overwrite).
    pub(crate) any_of: &'static [Permission],
    /// Whose permissions count.
    pub(crate) scope: Scope,
    /// Whether the extension filters apply to the name.
    pub(crate) filtered: bool,
    /// Whether they apply to the name that links lead to. Who asks for the named path itself, because the type of what is
    /// there decides, cannot ask there.
    pub(crate) filtered_behind_links: bool,
    /// Whether what has rules of its own, or holds something that has, is refused.
    pub(crate) moves: bool,
}

impl Demand {
    pub(crate) const fn entry(any_of: &'static [Permission]) -> Self {
        Self {
            any_of,
            scope: Scope::Parent,
            filtered: false,
            filtered_behind_links: false,
            moves: false,
        }
    }

    /// An entry whose name is asked for by the caller, and behind links here.
    pub(crate) const fn named_entry(any_of: &'static [Permission]) -> Self {
        Self {
            filtered_behind_links: true,
            ..Self::entry(any_of)
        }
    }

    pub(crate) const fn file(any_of: &'static [Permission]) -> Self {
        Self {
            any_of,
            scope: Scope::Parent,
            filtered: true,
            filtered_behind_links: true,
            moves: false,
        }
    }

    pub(crate) const fn directory(any_of: &'static [Permission]) -> Self {
        Self {
            any_of,
            scope: Scope::Itself,
            filtered: false,
            filtered_behind_links: false,
            moves: false,
        }
    }

    fn check(&self, user: &User, path: &VirtualPath) -> Result<(), OpErrorKind> {
        let set = match self.scope {
            Scope::Itself => user.permissions.in_directory(path),
            Scope::Parent => user.permissions.in_directory(&path.parent()),
        };
        if !self
            .any_of
            .iter()
            .any(|permission| set.contains(*permission))
        {
            return Err(OpErrorKind::PermissionDenied);
        }
        let has_rules = || {
            user.permissions.are_named_within(path) || user.extension_rules.are_named_within(path)
        };
        if self.moves && has_rules() {
            return Err(OpErrorKind::PermissionDenied);
        }
        if self.filtered && !user.extension_rules.allows(path) {
            return Err(OpErrorKind::NameNotAllowed);
        }
        Ok(())
    }
}

/// Leave to do one thing at one path. Deliberately without public constructor: only [`permit`] makes one.
#[derive(Debug)]
pub(crate) struct Permit {
    pub(crate) path: VirtualPath,
    pub(crate) target: Target,
    mount: Arc<Mount>,
    /// Where links led when the storage asked last; `None` if it was the named path.
    real: Arc<Mutex<Option<VirtualPath>>>,
}

impl Permit {
    /// The storage; a mount whose directory is missing answers "not found".
    pub(crate) fn storage(&self) -> OpResult<&Arc<dyn Storage>> {
        self.mount
            .storage
            .as_ref()
            .ok_or_else(|| OpErrorKind::NotFound.into())
    }

    /// Whether both act on one storage, so that a rename between them is possible.
    pub(crate) fn same_mount(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.mount, &other.mount)
    }

    /// The place on the server, for logs.
    pub(crate) fn server_path(&self) -> String {
        self.mount.server_path(&self.target.path)
    }

    /// The same for actions.
    pub(crate) fn place(&self) -> Place {
        self.mount.place(&self.target.path)
    }

    /// What the account may do in the directory of what the storage has opened: by its name and, if links led elsewhere,
    /// there too.
    pub(crate) fn permissions(&self, user: &User) -> PermissionSet {
        let named = user.permissions.in_directory(&self.path.parent());
        match &*self.real.lock() {
            Some(real) => named.and(user.permissions.in_directory(&real.parent())),
            None => named,
        }
    }

    /// A permit that holds only if `check` agrees with the place where links lead, whoever the account is.
    pub(crate) fn only_if(
        mut self,
        check: impl Fn(&StoragePath) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.target.guard = Some(match self.target.guard.take() {
            Some(own) => Arc::new(move |real: &StoragePath| own(real) && check(real)),
            None => Arc::new(check),
        });
        self
    }

    /// Both at once: a permit for the same path that asks for what either asks for.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.target.guard = match (self.target.guard.take(), other.target.guard.clone()) {
            (Some(own), Some(other)) => Some(Arc::new(move |real| own(real) && other(real))),
            (own, other) => own.or(other),
        };
        self
    }

    /// A permit that holds only if `check` agrees, too, with the place where links lead.
    fn if_there(mut self, check: impl Fn(&VirtualPath) -> bool + Send + Sync + 'static) -> Self {
        let at = self.mount.at.clone();
        // Without a guard every place is alike.
        self.target.guard = self.target.guard.take().map(|own| {
            let both = move |real: &StoragePath| {
                own(real) && at.join_storage(real).is_ok_and(|path| check(&path))
            };
            Arc::new(both) as Guard
        });
        self
    }

    /// The virtual path of a place in the same storage.
    pub(crate) fn mount_point(&self) -> &VirtualPath {
        &self.mount.at
    }
}

/// Checks `demand` on `path` as it is named, and arranges that it is checked again where symbolic links lead.
pub(crate) fn permit(
    user: &Arc<User>,
    mounts: &Mounts,
    path: &VirtualPath,
    demand: Demand,
) -> OpResult<Permit> {
    demand.check(user, path)?;
    let (mount, inside) = mounts.locate(path);
    // Where every directory is alike and names are free, links inside the storage can open nothing that is closed.
    let uniform = user.permissions.is_uniform() && user.extension_rules.is_empty();
    let real = Arc::<Mutex<_>>::default();
    let guard = (!uniform).then(|| {
        let user = Arc::clone(user);
        let at = mount.at.clone();
        let seen = Arc::clone(&real);
        let demand = Demand {
            filtered: demand.filtered_behind_links,
            ..demand
        };
        Arc::new(move |real: &StoragePath| {
            let Ok(path) = at.join_storage(real) else {
                return false;
            };
            let allowed = demand.check(&user, &path).is_ok();
            *seen.lock() = Some(path);
            allowed
        }) as Guard
    });
    Ok(Permit {
        path: path.clone(),
        target: Target {
            guard,
            ..Target::unguarded(inside)
        },
        mount: Arc::clone(mount),
        real,
    })
}

/// What is needed to hand a whole tree to somebody who checks nothing afterwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree {
    /// All of these are needed at the path, and wherever below it permissions are named.
    pub(crate) needs: PermissionSet,
    /// It must be in the home and not in a virtual folder.
    pub(crate) home_only: bool,
    /// No extension filter may stand at, above or below it.
    pub(crate) unfiltered: bool,
}

impl Tree {
    fn check(&self, user: &User, at: &VirtualPath, path: &VirtualPath) -> OpResult<()> {
        if self.home_only && !at.is_root() {
            return Err(OpError::new(
                OpErrorKind::Unsupported,
                "this is not served in virtual folders",
            ));
        }
        if self.unfiltered && user.extension_rules.concern(path) {
            return Err(OpError::new(
                OpErrorKind::Unsupported,
                "this is not served where file names are filtered",
            ));
        }
        if user.permissions.in_directory(path).and(self.needs) != self.needs {
            return Err(OpErrorKind::PermissionDenied.into());
        }
        match user.permissions.lacking_below(path, self.needs) {
            None => Ok(()),
            Some(below) => Err(OpError::new(
                OpErrorKind::PermissionDenied,
                format!("Permission Denied: the permissions of {below} are not enough"),
            )),
        }
    }
}

/// [`permit`] for a whole tree.
pub(crate) fn permit_tree(
    user: &Arc<User>,
    mounts: &Mounts,
    path: &VirtualPath,
    tree: Tree,
) -> OpResult<Permit> {
    let (mount, inside) = mounts.locate(path);
    tree.check(user, &mount.at, path)?;
    let (judge, at) = (Arc::clone(user), mount.at.clone());
    let guard: Guard = Arc::new(move |real: &StoragePath| {
        let path = at.join_storage(real);
        path.is_ok_and(|path| tree.check(&judge, &at, &path).is_ok())
    });
    Ok(Permit {
        path: path.clone(),
        target: Target {
            guard: Some(guard),
            ..Target::unguarded(inside)
        },
        mount: Arc::clone(mount),
        real: Arc::default(),
    })
}

impl Permit {
    /// What remains of an absolute path of the server below this storage's root; `None` if it lies elsewhere.
    pub(crate) fn inside_root(&self, text: &[u8]) -> Option<StoragePath> {
        let root = self.mount.root.as_os_str().as_encoded_bytes();
        let rest = text.strip_prefix(root)?;
        match rest.first() {
            None | Some(b'/') => StoragePath::parse(rest).ok(),
            Some(_) => None,
        }
    }
}

/// Two permits that hold only together: `fits` is asked with both paths, as they are named and where links lead. The storage
/// must be asked for the first one first.
pub(crate) fn tie(
    first: Permit,
    second: Permit,
    fits: impl Fn(&VirtualPath, &VirtualPath) -> bool + Send + Sync + 'static,
) -> OpResult<(Permit, Permit)> {
    let (named_first, named_second) = (first.path.clone(), second.path.clone());
    if !fits(&named_first, &named_second) {
        return Err(OpErrorKind::PermissionDenied.into());
    }
    let fits = Arc::new(fits);
    let also = Arc::clone(&fits);
    let real_first = Arc::clone(&first.real);
    let first = first.if_there(move |real| also(real, &named_second));
    let second = second.if_there(move |real| {
        let led = real_first.lock().clone();
        fits(&named_first, real) && led.is_none_or(|led| fits(&led, real))
    });
    Ok((first, second))
}

/// Whoever may do these has what a move gives, in three steps.
const COPY_AND_REMOVE: PermissionSet = PermissionSet::NONE
    .with(Permission::List)
    .with(Permission::Download)
    .with(Permission::Delete);

/// Whether moving something from one path to another allows nothing that was not allowed before: the new place gives no
/// permission that the old one does not give, or the old one lets it be copied and removed anyway. What is moved has no rules
/// of its own inside, and what it becomes has none either (`Demand::moves`).
pub(crate) fn gains_nothing_by_moving(user: &User, from: &VirtualPath, to: &VirtualPath) -> bool {
    let old = user.permissions.in_directory(&from.parent());
    let new = user.permissions.in_directory(&to.parent());
    new.is_within(old) || COPY_AND_REMOVE.is_within(old)
}
