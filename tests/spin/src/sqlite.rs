//! `spin:sqlite`: each connection that a guest opens is one of SQLite's, with SQLite's defaults.

mod host;
mod query;

use crate::gate::Gate;
use std::path::Path;
use std::sync::Arc;

/// The file that Spin keeps its default database in.
const FILE: &str = "sqlite_db.db";
/// How many connections an instance may have open.
const CONNECTIONS_MAX: usize = 256;

/// An open connection.
pub struct Connection(Arc<Gate<rusqlite::Connection>>);

fn open(directory: &Path) -> rusqlite::Result<Connection> {
    rusqlite::Connection::open(directory.join(FILE)).map(|connection| Connection(Arc::new(Gate::new(connection))))
}
