//! The `pflags` of OPEN (draft 6.3).

use std::ops::BitOr;

/// How a file is to be opened. Bits that version 3 does not define are kept and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OpenFlags(pub u32);

impl OpenFlags {
    /// Open for reading.
    pub const READ: Self = Self(0x01);
    /// Open for writing.
    pub const WRITE: Self = Self(0x02);
    /// Every write goes to the end of the file.
    pub const APPEND: Self = Self(0x04);
    /// Make the file if it does not exist.
    pub const CREATE: Self = Self(0x08);
    /// Empty the file if it exists.
    pub const TRUNCATE: Self = Self(0x10);
    /// Fail if the file exists; means something with CREATE only.
    pub const EXCLUSIVE: Self = Self(0x20);

    /// Whether all bits of `flags` are set.
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The number on the wire.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl BitOr for OpenFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
