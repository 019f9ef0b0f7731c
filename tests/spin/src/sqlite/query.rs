//! One statement: of several in one text only the first is run.

use crate::bindings::spin::sqlite::sqlite::{RowResult, Value};
use crate::gate::Inside;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, Row, Statement, ToSql, params_from_iter};
use tokio::sync::{mpsc, oneshot};

/// Runs a statement: first the names of its columns, then its rows, each when the one before is taken. What fails is in the text.
pub(crate) fn run(
    inside: &mut Inside<'_, Connection>,
    sql: &str,
    values: &[Value],
    columns: oneshot::Sender<Vec<String>>,
    rows: &mpsc::Sender<RowResult>,
) -> Result<(), String> {
    let (connection, streams) = inside.parts();
    with_first(connection, sql, |statement| {
        columns.send(names(statement)).map_err(|_| "column send error".to_owned())?;
        let mut found = statement.query(params_from_iter(values)).map_err(said)?;
        while let Some(row) = found.next().map_err(said)? {
            let row = values_of(row).map_err(said)?;
            streams();
            rows.blocking_send(row).map_err(|_| "row send error".to_owned())?;
        }
        Ok(())
    })
}

/// Runs a statement and gives all of its rows.
pub(crate) fn run_whole(
    connection: &Connection,
    sql: &str,
    values: &[Value],
) -> Result<(Vec<String>, Vec<RowResult>), String> {
    with_first(connection, sql, |statement| {
        let names = names(statement);
        let rows = statement.query_map(params_from_iter(values), values_of).map_err(said)?;
        Ok((names, rows.collect::<rusqlite::Result<_>>().map_err(said)?))
    })
}

/// Does something with the first statement of a text: newer versions of rusqlite refuse a text of several, Spin's does not.
fn with_first<T>(
    connection: &Connection,
    sql: &str,
    work: impl FnOnce(&mut Statement<'_>) -> Result<T, String>,
) -> Result<T, String> {
    match connection.prepare_cached(sql) {
        Ok(mut statement) => work(&mut statement),
        Err(rusqlite::Error::MultipleStatement) => {
            let first = Batch::new(connection, sql).next().map_err(said)?;
            work(&mut first.ok_or("no statement")?)
        }
        Err(fault) => Err(said(fault)),
    }
}

fn names(statement: &Statement<'_>) -> Vec<String> {
    statement.column_names().into_iter().map(ToOwned::to_owned).collect()
}

fn said(fault: rusqlite::Error) -> String {
    fault.to_string()
}

fn values_of(row: &Row<'_>) -> rusqlite::Result<RowResult> {
    let count = row.as_ref().column_count();
    let values = (0..count).map(|column| row.get_ref(column).map(value_of));
    Ok(RowResult { values: values.collect::<rusqlite::Result<_>>()? })
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
