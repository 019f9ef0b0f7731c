//! SQLite, in every way that fails or hangs.

use crate::query::Query;
use crate::time;
use anyhow::{Result, bail};
use spin_sdk::sqlite::{Connection, RowResult, Value};

pub(crate) async fn answer(path: &str, query: &Query) -> Result<String> {
    let key = query.text("key");
    match path {
        "prepare" => {
            let connection = Connection::open_default().await?;
            execute(&connection, "CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, n INTEGER)", vec![]).await?;
            Ok("prepared".to_owned())
        }
        "count" => Ok(count(&Connection::open_default().await?, key).await?.to_string()),
        "add" => add(key, query).await,
        "abandon" => abandon(key).await,
        "while-unread" => while_unread().await,
        "several" => several(key).await,
        "settings" => settings().await,
        _ => bail!("no route sql/{path}"),
    }
}

async fn execute(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<RowResult>> {
    Ok(connection.execute(sql, values).await?.collect().await?)
}

async fn count(connection: &Connection, key: &str) -> Result<i64> {
    let rows = execute(connection, "SELECT n FROM counts WHERE key = ?", vec![key.into()]).await?;
    Ok(rows.first().and_then(|row| row.get(0)).unwrap_or_default())
}

/// Counts in a transaction that is begun as the query says.
async fn add(key: &str, query: &Query) -> Result<String> {
    let connection = Connection::open_default().await?;
    execute(&connection, &format!("BEGIN {}", query.text("begin")), vec![]).await?;
    let next = count(&connection, key).await?.saturating_add(1);
    time::nap(query).await;
    execute(&connection, "INSERT OR REPLACE INTO counts VALUES (?, ?)", vec![key.into(), next.into()]).await?;
    execute(&connection, "COMMIT", vec![]).await?;
    Ok(next.to_string())
}

/// Writes in a transaction, and drops the connection.
async fn abandon(key: &str) -> Result<String> {
    let connection = Connection::open_default().await?;
    execute(&connection, "BEGIN IMMEDIATE", vec![]).await?;
    execute(&connection, "INSERT INTO counts VALUES (?, 1)", vec![key.into()]).await?;
    drop(connection);
    Ok(count(&Connection::open_default().await?, key).await?.to_string())
}

/// A statement while the rows of the one before are unread.
async fn while_unread() -> Result<String> {
    let connection = Connection::open_default().await?;
    let many = "WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x LIMIT 1000) SELECT i FROM x";
    let mut rows = connection.execute(many, []).await?;
    rows.next().await;
    let second = execute(&connection, "SELECT 1", vec![]).await?;
    Ok(second.len().to_string())
}

/// Two statements in one text.
async fn several(key: &str) -> Result<String> {
    let connection = Connection::open_default().await?;
    let sql = format!("INSERT INTO counts VALUES ('{key}1', 1); INSERT INTO counts VALUES ('{key}2', 1)");
    execute(&connection, &sql, vec![]).await?;
    let (first, second) =
        (count(&connection, &format!("{key}1")).await?, count(&connection, &format!("{key}2")).await?);
    Ok(format!("{first} {second}"))
}

async fn settings() -> Result<String> {
    let connection = Connection::open_default().await?;
    let mut settings = Vec::new();
    for name in ["journal_mode", "synchronous", "busy_timeout"] {
        let rows = execute(&connection, &format!("PRAGMA {name}"), vec![]).await?;
        settings.push(format!("{:?}", rows.first().map(|row| &row.values)));
    }
    Ok(settings.join(" "))
}
