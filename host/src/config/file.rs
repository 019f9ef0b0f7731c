//! The configuration file: `stepwell.json`, `.yaml`, `.yml` or `.toml`, or the same of `inngest`.

use super::ConfigError;
use serde_json::Value;
use std::path::{Path, PathBuf};

const NAMES: &[&str] = &["stepwell", "inngest"];
const EXTENSIONS: &[&str] = &["json", "yaml", "yml", "toml"];

/// The first configuration file in `folder` or in one of those above it.
#[must_use]
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find_map(|folder| {
        let names = NAMES.iter().flat_map(|name| EXTENSIONS.iter().map(move |extension| format!("{name}.{extension}")));
        names.map(|name| folder.join(name)).find(|path| path.is_file())
    })
}

/// Reads a configuration file as a JSON object.
///
/// # Errors
/// A file that cannot be read, is not of its format, or holds no table.
pub fn read(path: &Path) -> Result<Value, ConfigError> {
    let refuse = |cause: &dyn std::fmt::Display| ConfigError(format!("cannot use {}: {cause}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refuse(&e))?;
    let value: Value = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(|e| refuse(&e))?,
        Some("toml") => toml::from_str(&text).map_err(|e| refuse(&e))?,
        Some("yaml" | "yml") => serde_yaml_ng::from_str(&text).map_err(|e| refuse(&e))?,
        _ => return Err(refuse(&"its name must end in .json, .yaml, .yml or .toml")),
    };
    match value {
        Value::Object(_) => Ok(value),
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        _ => Err(refuse(&"it must hold names and values")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_three_formats_say_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let expected = json!({ "port": 9000, "sdk-url": ["http://localhost:3000/api/inngest"] });
        for (name, text) in [
            ("a.json", r#"{"port":9000,"sdk-url":["http://localhost:3000/api/inngest"]}"#),
            ("a.yaml", "port: 9000\nsdk-url:\n  - http://localhost:3000/api/inngest\n"),
            ("a.toml", "port = 9000\nsdk-url = [\"http://localhost:3000/api/inngest\"]\n"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn the_nearest_file_upwards_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(folder.path().join("inngest.yaml"), "").unwrap();
        assert_eq!(find(&deep), Some(folder.path().join("inngest.yaml")));
        assert_eq!(read(&find(&deep).unwrap()).unwrap(), json!({}));
        std::fs::write(folder.path().join("a/stepwell.toml"), "").unwrap();
        assert_eq!(find(&deep), Some(folder.path().join("a/stepwell.toml")));
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.json");
        std::fs::write(&path, "[1]").unwrap();
        assert!(read(&path).unwrap_err().0.contains("stepwell.json"));
        std::fs::write(&path, "{").unwrap();
        assert!(read(&path).unwrap_err().0.contains("stepwell.json"));
    }
}
