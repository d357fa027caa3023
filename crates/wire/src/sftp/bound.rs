//! The sizes that are announced, accepted and sent, each with its reason.

/// The protocol version that we speak. A client that asks for more is answered with this one (draft 4).
pub const VERSION: u32 = 3;

/// The longest packet that we announce, as `limits@openssh.com` counts it. OpenSSH 8.x to 9.1 fail with "Outbound
/// message too long" if a server announces more than 256 KiB.
pub const MAX_PACKET: usize = 262_144;

/// What is accepted beyond [`MAX_PACKET`]: some stacks count the headers apart and come out a few bytes over.
pub const FRAME_SLACK: usize = 1024;

/// The longest READ or WRITE that we announce: 255 KiB, which leaves room for the headers within [`MAX_PACKET`].
pub const MAX_READ_WRITE: usize = 261_120;

/// The longest handle that a server may send (draft 6.3), so the longest that a client has reason to send back.
pub const MAX_HANDLE: usize = 256;

/// The longest path or other text that is decoded; eight times Linux's `PATH_MAX`.
pub const MAX_STRING: usize = 32_768;

/// The most extension pairs that an INIT or VERSION packet may carry.
pub const MAX_EXTENSION_PAIRS: usize = 64;

/// The most extended attribute pairs that ATTRS may carry. They are skipped, so only their count matters.
pub const MAX_ATTR_EXTENSIONS: u32 = 128;

/// The most users, and the most groups, that one `users-groups-by-id@openssh.com` request may name.
pub const MAX_ID_LIST: usize = 4096;

/// The most entries in one NAME reply that a [`NameBuilder`](super::NameBuilder) makes.
pub const MAX_NAME_ENTRIES: usize = 100;

/// The longest NAME packet, its length field included, that a [`NameBuilder`](super::NameBuilder) makes. sshfs
/// gives up on replies over 128 KiB, pkg/sftp and older libssh2 on those over 256 KiB.
pub const MAX_NAME_REPLY: usize = 65_536;
