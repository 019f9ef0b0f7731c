//! Apps, their functions, and the versioned snapshot of both that every turn is given.
//!
//! Apps announce themselves (`registration`), are asked to (`sync`), and are refused with every fault that they have
//! (`definition` and `flow`, by way of `fields`). The actor keeps what they said as rows and installs it everywhere.

mod actor;
mod app;
mod callee;
mod change;
mod definition;
mod derived;
mod fields;
pub mod flow;
mod function;
pub mod message;
mod overview;
mod registration;
mod rows;
mod serve_url;
mod snapshot;
mod sync;
mod triggers;

#[cfg(test)]
mod tests;

pub use actor::CatalogActor;
pub use app::{App, SyncError};
pub use callee::Callee;
pub use derived::Derived;
pub use flow::Flow;
pub use function::{Function, Pause, Trigger};
pub use snapshot::Catalog;
