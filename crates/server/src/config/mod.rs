//! Settings: found in a file and the environment, checked, and resolved for the rest of the
//! program.
//!
//! A value comes from the built-in default, then the settings file, then the environment; the
//! last one that sets it wins, and every value remembers where it came from. Each crate owns its
//! section as a documented struct; the names, kinds and descriptions of all settings are read
//! from the schema of those structs (`shape`), so that a setting is defined in one place.
//!
//! What an operator misspells stops the start and is named together with what was probably meant.

mod coerce;
mod environment;
mod error;
mod file;
mod format;
mod layer;
mod load;
mod reference;
mod settings;
mod shape;
mod suggest;

pub(crate) use coerce::parse_bool;
pub use environment::Environment;
pub use error::LoadError;
pub use load::{Inputs, Loaded, ShownValue, Source, load};
pub use reference::reference_page;
pub use settings::{Config, Settings};
