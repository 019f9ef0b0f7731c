//! The rows of the catalog: one per app, one per function, and its version.

use super::{App, Catalog, Function};
use crate::error::Fault;
use crate::ids::{AppId, FunctionId};
use crate::turn::{Row, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The row of the catalog itself.
pub(super) const META_KEY: &str = "meta";
const APP_PREFIX: &str = "app/";
const FUNCTION_PREFIX: &str = "fn/";

/// What [`META_KEY`] holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Meta {
    /// Of the newest change.
    pub(super) version: u64,
}

/// The row of an app.
pub(super) fn app_key(id: &AppId) -> String {
    format!("{APP_PREFIX}{id}")
}

/// The row of a function.
pub(super) fn function_key(id: &FunctionId) -> String {
    format!("{FUNCTION_PREFIX}{id}")
}

/// The fold of `rows`.
///
/// # Errors
/// Rows that the catalog does not write.
pub(super) fn fold<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<Catalog, Fault> {
    let mut catalog = Catalog::default();
    for row in rows {
        take(&mut catalog, &row.key, Some(&row.value))?;
    }
    Ok(catalog)
}

/// `catalog` and then `writes`.
///
/// # Errors
/// As [`fold`].
pub(super) fn applied(catalog: &Catalog, writes: &[Write]) -> Result<Catalog, Fault> {
    let mut next = catalog.clone();
    for write in writes {
        take(&mut next, &write.key, write.value.as_deref())?;
    }
    Ok(next)
}

fn take(catalog: &mut Catalog, key: &str, value: Option<&[u8]>) -> Result<(), Fault> {
    if key == META_KEY {
        catalog.version = value.map(read::<Meta>).transpose()?.map_or(0, |meta| meta.version);
    } else if let Some(name) = key.strip_prefix(APP_PREFIX) {
        match value {
            Some(value) => catalog.apps.insert(name.into(), read::<App>(value)?),
            None => catalog.apps.remove(&AppId::from(name)),
        };
    } else if let Some(slug) = key.strip_prefix(FUNCTION_PREFIX) {
        match value {
            Some(value) => catalog.functions.insert(slug.into(), read::<Function>(value)?),
            None => catalog.functions.remove(&FunctionId::from(slug)),
        };
    } else {
        return Err(Fault::new("catalog row", format!("unknown key {key:?}")));
    }
    Ok(())
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(value).map_err(|e| Fault::new("catalog row", e))
}
