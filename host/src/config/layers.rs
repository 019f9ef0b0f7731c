//! Environment and file, asked by the name that the flag has.

use super::{ConfigError, duration, file};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// What is asked where no flag was given.
#[derive(Debug, Default)]
pub struct Layers {
    environment: HashMap<String, String>,
    file: Map<String, Value>,
}

impl Layers {
    /// Layers of a given environment and file.
    #[must_use]
    pub fn new(environment: HashMap<String, String>, file: Value) -> Self {
        let file = match file {
            Value::Object(members) => members.into_iter().map(|(name, value)| (kebab(&name), value)).collect(),
            _ => Map::new(),
        };
        Self { environment, file }
    }

    /// The process's environment, and the file that it, `--config`, or the working folder names.
    ///
    /// # Errors
    /// A file that was named and cannot be read, or was found and is broken.
    pub fn of_process(config: Option<&Path>) -> Result<Self, ConfigError> {
        let environment: HashMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = ["STEPWELL_CONFIG", "INNGEST_CONFIG"].iter().find_map(|name| environment.get(*name)).map(Path::new);
        let path = match config.or(named) {
            Some(path) => Some(path.to_owned()),
            None => std::env::current_dir().ok().and_then(|folder| file::find(&folder)),
        };
        let file = path.map_or(Ok(Value::Null), |path| file::read(&path))?;
        Ok(Self::new(environment, file))
    }

    /// A text, under the first of `names` that has one.
    #[must_use]
    pub fn text(&self, names: &[&str], flag: Option<String>) -> Option<String> {
        flag.or_else(|| names.iter().find_map(|name| self.of_environment(name)).map(str::to_owned))
            .or_else(|| names.iter().find_map(|name| self.file.get(*name)).map(plain))
    }

    /// A list: of the flag's values, of the environment's between commas, of the file's.
    #[must_use]
    pub fn list(&self, names: &[&str], flag: Vec<String>) -> Vec<String> {
        let parts =
            |text: &str| text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
        if !flag.is_empty() {
            return flag;
        }
        if let Some(text) = names.iter().find_map(|name| self.of_environment(name)) {
            return parts(text);
        }
        match names.iter().find_map(|name| self.file.get(*name)) {
            Some(Value::Array(values)) => values.iter().map(plain).collect(),
            Some(value) => parts(&plain(value)),
            None => Vec::new(),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// A text that is none.
    pub fn number<T: FromStr>(&self, name: &str, flag: Option<T>) -> Result<Option<T>, ConfigError> {
        if flag.is_some() {
            return Ok(flag);
        }
        let Some(text) = self.text(&[name], None) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| wrong(name, &format!("{text:?} is not a number it can take")))
    }

    /// A span of time.
    ///
    /// # Errors
    /// A text that is none.
    pub fn duration(&self, name: &str, flag: Option<Duration>) -> Result<Option<Duration>, ConfigError> {
        if flag.is_some() {
            return Ok(flag);
        }
        let text = self.text(&[name], None);
        text.map(|text| duration::parse(&text).map_err(|e| wrong(name, &e))).transpose()
    }

    /// A switch.
    ///
    /// # Errors
    /// A text that says neither yes nor no.
    pub fn switch(&self, name: &str, flag: bool) -> Result<bool, ConfigError> {
        if flag {
            return Ok(true);
        }
        match self.text(&[name], None).as_deref().map(str::trim) {
            None | Some("" | "0" | "false" | "no" | "off") => Ok(false),
            Some("1" | "true" | "yes" | "on") => Ok(true),
            Some(other) => Err(wrong(name, &format!("{other:?} is neither true nor false"))),
        }
    }

    fn of_environment(&self, name: &str) -> Option<&str> {
        let variable = name.replace('-', "_").to_uppercase();
        let value =
            ["STEPWELL", "INNGEST"].iter().find_map(|prefix| self.environment.get(&format!("{prefix}_{variable}")));
        value.map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn wrong(name: &str, why: &str) -> ConfigError {
    ConfigError(format!("{name}: {why}"))
}

fn plain(value: &impl Display) -> String {
    let text = value.to_string();
    // A JSON string is shown with its quotes.
    serde_json::from_str::<String>(&text).unwrap_or(text)
}

/// `sdkUrl`, `sdk_url` and `sdk-url` are one name.
fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '_' => kebab.push('-'),
            c if c.is_ascii_uppercase() => {
                kebab.push('-');
                kebab.push(c.to_ascii_lowercase());
            }
            c => kebab.push(c),
        }
    }
    kebab
}
