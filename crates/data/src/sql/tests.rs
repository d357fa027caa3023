//! Databases of the reference, and what is no database.
