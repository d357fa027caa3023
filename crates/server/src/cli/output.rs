//! `--output`: for people or for programs.

use clap::{Args, ValueEnum};

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For programs, with sorted keys
    Json,
}

/// How to write the result.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// How to write the result
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_enum,
        default_value = "table"
    )]
    output: Format,

    /// As `--output json`
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl OutputArgs {
    /// What the flags say.
    #[must_use]
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output }
    }
}
