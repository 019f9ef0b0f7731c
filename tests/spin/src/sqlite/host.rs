//! What a guest may ask.

use super::{CONNECTIONS_MAX, Connection, open, query};
use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::gate::Gate;
use crate::instance::{Given, Instance};
use crate::streamed::{Streamed, WAITING_MAX};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};
use wasmtime::{Result, format_err};

type Answer<T> = Result<std::result::Result<T, Error>>;
type Rows = (Vec<String>, StreamReader<RowResult>, FutureReader<std::result::Result<(), Error>>);

impl Host for Instance {}

impl Instance {
    fn open_connection(&mut self, database: &str) -> Answer<Resource<Connection>> {
        if !self.component.sqlite_databases.iter().any(|allowed| allowed == database) {
            return Ok(Err(Error::AccessDenied));
        }
        if self.connections >= CONNECTIONS_MAX {
            return Ok(Err(Error::Io("too many connections opened".to_owned())));
        }
        match open(&self.component.state_directory) {
            Ok(connection) => {
                self.connections = self.connections.saturating_add(1);
                Ok(Ok(self.table.push(connection)?))
            }
            Err(fault) => Ok(Err(Error::Io(fault.to_string()))),
        }
    }

    fn gate(&self, connection: &Resource<Connection>) -> Result<Arc<Gate<rusqlite::Connection>>> {
        Ok(Arc::clone(&self.table.get(connection)?.0))
    }

    /// Asks a connection something short.
    fn ask<T>(&self, connection: &Resource<Connection>, ask: impl FnOnce(&rusqlite::Connection) -> T) -> Result<T> {
        let gate = self.gate(connection)?;
        tokio::task::block_in_place(|| Ok(ask(gate.enter("a question")?.kept())))
    }
}

impl HostConnection for Instance {
    async fn open(&mut self, database: String) -> Answer<Resource<Connection>> {
        self.open_connection(&database)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        values: Vec<Value>,
    ) -> Answer<QueryResult> {
        let gate = self.gate(&connection)?;
        let answer = self.component.chaos.around(|| {
            tokio::task::block_in_place(|| Ok(query::run_whole(gate.enter("a statement")?.kept(), &sql, &values)))
        });
        Ok(answer?.map(|(columns, rows)| QueryResult { columns, rows }).map_err(Error::Io))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> Result<i64> {
        self.ask(&connection, rusqlite::Connection::last_insert_rowid)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> Result<u64> {
        self.ask(&connection, rusqlite::Connection::changes)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.connections = self.connections.saturating_sub(1);
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<S> HostConnectionWithStore<S> for Given {
    async fn open_async(accessor: &Accessor<S, Self>, database: String) -> Answer<Resource<Connection>> {
        accessor.with(|mut access| access.get().open_connection(&database))
    }

    async fn execute_async(
        accessor: &Accessor<S, Self>,
        connection: Resource<Connection>,
        sql: String,
        values: Vec<Value>,
    ) -> Answer<Rows> {
        let (gate, chaos) = accessor.with(|mut access| {
            let instance = access.get();
            wasmtime::error::Ok((instance.gate(&connection)?, Arc::clone(&instance.component.chaos)))
        })?;
        let (column_sender, columns) = oneshot::channel();
        let (row_sender, rows) = mpsc::channel(WAITING_MAX);
        let (end_sender, end) = oneshot::channel();
        let columns = chaos.around_async(async {
            // Waited for here, so that what would hang Spin traps, where an error could be taken for one of SQLite's.
            let work = tokio::task::spawn_blocking(move || {
                let mut inside = gate.enter("a statement")?;
                let result = query::run(&mut inside, &sql, &values, column_sender, &row_sender);
                drop(inside);
                // Where the instance is gone nobody is left to be told.
                let _ = end_sender.send(result.map_err(Error::Io));
                wasmtime::error::Ok(())
            });
            match columns.await {
                Ok(columns) => Ok(columns),
                // A statement that could not be prepared has no columns, and says at its end why.
                Err(_) => work.await?.map(|()| Vec::new()),
            }
        });
        let columns = columns.await?;
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, Streamed(rows))?;
            let end = async { end.await.map_err(|_| format_err!("a statement vanished")) };
            Ok(Ok((columns, rows, FutureReader::new(&mut access, Box::pin(end))?)))
        })
    }

    async fn last_insert_rowid_async(accessor: &Accessor<S, Self>, connection: Resource<Connection>) -> Result<i64> {
        accessor.with(|mut access| access.get().ask(&connection, rusqlite::Connection::last_insert_rowid))
    }

    async fn changes_async(accessor: &Accessor<S, Self>, connection: Resource<Connection>) -> Result<u64> {
        accessor.with(|mut access| access.get().ask(&connection, rusqlite::Connection::changes))
    }
}
