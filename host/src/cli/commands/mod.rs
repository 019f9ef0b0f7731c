//! The commands that ask a running server, a file each: its examples, its arguments, what it does.

pub mod cancel;
pub mod follow;
pub mod rerun;
pub mod run;
pub mod runs;
pub mod send;
pub mod sync;
