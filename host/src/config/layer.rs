//! What one source says: settings as they were written, and where.

use super::setting::{self, ALL, Arity, Setting, WITHOUT_EFFECT};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The process's surroundings, as data.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// The working directory, from which configuration files are looked for.
    pub folder: PathBuf,
}

impl Environment {
    /// The surroundings of this process. Variables that are not text are left out: none of ours may be.
    pub fn of_process() -> Self {
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: variables.collect(), folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")) }
    }

    /// The first of these variables that is set to something.
    pub fn first<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        let set = |name: &&'a str| self.variables.get(*name).map(|value| (*name, value.trim()));
        names.iter().filter_map(set).find(|(_, value)| !value.is_empty())
    }
}

/// A setting's value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A flag without a value, or a boolean of a configuration file.
    Switch(bool),
    /// Anything else.
    Text(String),
    /// Several.
    List(Vec<String>),
}

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// For people: `--port`, `INNGEST_PORT`, or "`port` in stepwell.yaml".
    pub origin: String,
    /// As it was written.
    pub value: Value,
}

/// What one source says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    settings: BTreeMap<&'static str, Given>,
    /// What it says to no effect, a sentence each.
    pub warnings: Vec<String>,
}

impl Layer {
    /// What this source says about `setting`.
    pub fn get(&self, setting: Setting) -> Option<&Given> {
        self.settings.get(setting.name)
    }

    /// Notes a value. A value without content (an empty text, an empty list) says nothing.
    pub fn put(&mut self, setting: Setting, origin: impl Into<String>, value: Value) {
        let says_something = match &value {
            Value::Switch(_) => true,
            Value::Text(text) => !text.trim().is_empty(),
            Value::List(items) => !items.is_empty(),
        };
        if says_something {
            self.settings.insert(setting.name, Given { origin: origin.into(), value });
        }
    }

    /// Notes that something has no effect here.
    pub fn warn(&mut self, origin: &str, name: &str) {
        if let Some((_, why)) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == name) {
            self.warnings.push(format!("{origin} has no effect: {why}"));
        }
    }

    /// What the variables `<prefix>_…` say.
    pub fn of_variables(environment: &Environment, prefix: &str) -> Self {
        let mut layer = Self::default();
        for setting in ALL {
            // An alias is weaker than the name itself, so it comes first and is overwritten.
            for name in setting.aliases.iter().rev().chain([&setting.name]) {
                let variable = variable(prefix, name);
                if let Some((_, text)) = environment.first(&[&variable]) {
                    layer.put(*setting, &variable, split(text, setting.arity));
                }
            }
        }
        for (name, _) in WITHOUT_EFFECT {
            let variable = variable(prefix, name);
            if environment.first(&[&variable]).is_some() {
                layer.warn(&variable, name);
            }
        }
        layer
    }

    /// What the variables say that belong to no program in particular.
    pub fn of_shared_variables(environment: &Environment) -> Self {
        let mut layer = Self::default();
        if let Some((name, text)) = environment.first(&["LOG_LEVEL"]) {
            layer.put(setting::LOG_LEVEL, name, Value::Text(text.to_owned()));
        }
        layer
    }
}

fn variable(prefix: &str, name: &str) -> String {
    format!("{prefix}_{}", name.to_ascii_uppercase().replace('-', "_"))
}

fn split(text: &str, arity: Arity) -> Value {
    match arity {
        Arity::One => Value::Text(text.to_owned()),
        Arity::Many => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::List(items.map(ToOwned::to_owned).collect())
        }
    }
}
