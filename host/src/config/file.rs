//! The configuration file: found, read, and turned into a layer.

use super::error::Error;
use super::layer::{Environment, Layer, Value};
use super::setting::{self, ALL, Arity, Setting, WITHOUT_EFFECT};
use serde_json::{Map, Value as Json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Looked for in this order, in the working directory and then in each of its parents.
const NAMES: &[&str] =
    &["stepwell.json", "stepwell.yaml", "stepwell.yml", "stepwell.toml", "inngest.json", "inngest.yaml", "inngest.yml"];

/// A configuration file is some lines; more is something else under its name.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file that `named` (`--config`) or the environment names, or the nearest one.
pub fn find(named: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    let from_variable =
        || environment.first(&["STEPWELL_CONFIG", "INNGEST_CONFIG"]).map(|(_, path)| PathBuf::from(path));
    if let Some(path) = named.map(Path::to_owned).or_else(from_variable) {
        return Some(environment.folder.join(path));
    }
    let folders = environment.folder.ancestors();
    folders.flat_map(|folder| NAMES.iter().map(|name| folder.join(name))).find(|path| path.is_file())
}

/// What the file says.
///
/// # Errors
/// A file that cannot be read, is malformed, or has a key that is none of ours.
pub fn read(path: &Path) -> Result<Layer, Error> {
    let text = text(path)?;
    let members = parse(path, &text)?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mut layer = Layer::default();
    for (key, json) in &members {
        let canonical = setting::canonical(key);
        let origin = format!("`{key}` in {name}");
        if let Some(setting) = setting::find(&canonical) {
            if let Some(value) = value(setting, &origin, json)? {
                layer.put(setting, origin, value);
            }
        } else if WITHOUT_EFFECT.iter().any(|(name, _)| *name == canonical) {
            layer.warn(&origin, &canonical);
        } else {
            let known = ALL.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ");
            return Err(Error::UnknownKey { file: path.to_owned(), key: key.clone(), known });
        }
    }
    Ok(layer)
}

fn text(path: &Path) -> Result<String, Error> {
    let unreadable = |reason: String| Error::Unreadable { file: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(|e| unreadable(e.to_string()))?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_string(&mut text).map_err(|e| unreadable(e.to_string()))?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
        return Err(unreadable(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn parse(path: &Path, text: &str) -> Result<Map<String, Json>, Error> {
    let malformed = |format, reason: String| Error::Malformed { file: path.to_owned(), format, reason };
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let json = match extension.as_deref() {
        Some("json") => serde_json::from_str(text).map_err(|e| malformed("JSON", e.to_string())),
        Some("toml") => toml::from_str(text).map_err(|e| malformed("TOML", e.to_string())),
        // YAML holds JSON, so a file with another name may be either.
        _ => serde_yaml_ng::from_str(text).map_err(|e| malformed("YAML", e.to_string())),
    }?;
    match json {
        Json::Object(members) => Ok(members),
        Json::Null => Ok(Map::new()),
        _ => Err(malformed(
            "a configuration",
            "it must be a mapping of names to values, such as `port: 8288`".to_owned(),
        )),
    }
}

/// `null` says nothing.
fn value(setting: Setting, origin: &str, json: &Json) -> Result<Option<Value>, Error> {
    let invalid = |expected: &str| {
        Err(Error::Invalid { origin: origin.to_owned(), value: json.to_string(), expected: expected.to_owned() })
    };
    Ok(Some(match (json, setting.arity) {
        (Json::Null, _) => return Ok(None),
        (Json::Bool(switch), _) => Value::Switch(*switch),
        (Json::Number(number), _) => Value::Text(number.to_string()),
        (Json::String(text), Arity::One) => Value::Text(text.clone()),
        (Json::String(text), Arity::Many) => Value::List(vec![text.clone()]),
        (Json::Array(items), Arity::Many) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect();
            match texts {
                Some(texts) => Value::List(texts),
                None => return invalid("a list of texts is wanted"),
            }
        }
        (Json::Array(_), Arity::One) => return invalid("one value is wanted, not a list"),
        (Json::Object(_), _) => return invalid("a value is wanted, not a mapping"),
    }))
}
