//! Virtual folders: directories outside the home that appear inside it (reference 3.5).

use serde::{Deserialize, Serialize};

/// A mapping from a path the client sees to a directory of the server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VirtualFolder {
    /// Where the client sees it; absolute, never `/`.
    pub virtual_path: String,
    /// The directory it shows; absolute, neither inside nor around the home.
    pub mapped_path: String,
}
