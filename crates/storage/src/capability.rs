//! What a back end can do, declared by it once. Nobody asks a back end for its name.

/// How files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// At any offset, in any order.
    Random,
    /// From the start to the end.
    Sequential,
}

/// When other readers see what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// When the write handle is finished.
    OnFinish,
    /// While bytes arrive, if [`WriteVisibility::InPlace`](crate::WriteVisibility::InPlace) is asked for.
    WhileWriting,
}

/// What a rename costs and promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rename {
    /// One step, for directories with all they hold too.
    AtomicTree,
    /// A copy, then a removal.
    CopyThenDelete,
}

/// Whether directories exist by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folders {
    /// They are objects of their own.
    Real,
    /// They are implied by the keys below them, or by a marker.
    Implied,
}

/// The declaration of a back end. What is not declared answers
/// [`StorageErrorKind::Unsupported`](crate::StorageErrorKind::Unsupported).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// How files are written.
    pub writes: Writes,
    /// When readers see them.
    pub visible: Visible,
    /// What a rename promises.
    pub rename: Rename,
    /// Whether directories are real.
    pub folders: Folders,
    /// An interrupted upload can go on where it ended.
    pub resume: bool,
    /// Bytes can be written to the end of a file, wherever it is, by several handles at once.
    pub append: bool,
    /// Files can be cut or extended in place.
    pub truncate: bool,
    /// Symbolic links can be made and read.
    pub symlink: bool,
    /// Hard links can be made.
    pub hard_link: bool,
    /// Mode, owner and times can be set.
    pub set_attributes: bool,
    /// The time of the last change of files can be set. Where the rest cannot, it is accepted and left alone: clients send all
    /// of it together.
    pub set_modified: bool,
    /// Total and free space are known.
    pub space: bool,
    /// Files are files of this machine, which programs of the system can be given.
    pub native: bool,
    /// Names may be any bytes but NUL and `/`; otherwise they must be UTF-8.
    pub byte_names: bool,
}
