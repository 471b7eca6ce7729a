//! Compares podlens with what one would use instead: the same question, the same API server, one after the other in rounds.
//!
//! [`run`] does it all. `competitors` says who takes part, and `peers` builds those that are not podlens; `answers` knows what each has
//! to answer, `measure` what it took; `results` are what a run leaves, `targets` what podlens is held against, and `table` and [`readme`]
//! what people read of them. The programs to compare with lie in `peers/` beside this folder.

mod answers;
mod competitors;
mod field;
mod machine;
mod measure;
mod peers;
mod readme;
mod results;
mod run;
mod serve;
mod server;
mod table;
mod targets;

pub use measure::measure;
pub use readme::readme;
pub use run::{Options, run};
pub use serve::{ServeOptions, serve};

/// What went wrong, for people.
pub type Result<T> = std::result::Result<T, String>;
