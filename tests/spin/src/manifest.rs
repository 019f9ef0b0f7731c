//! `spin.toml`, as far as Stepwell uses it. What is not read is refused, so that no setting is passed over in silence.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A manifest of version 2.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    spin_manifest_version: u32,
    /// What the application is called.
    pub application: Application,
    /// Its variables.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    /// Its components, by name.
    pub component: BTreeMap<String, Component>,
    /// The folder that the manifest is in, which paths start from.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// What the application is called.
#[derive(Debug, Deserialize)]
pub struct Application {
    /// Its name.
    pub name: String,
}

/// A variable of the application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it is where nothing is given.
    pub default: Option<String>,
    /// Whether something must be given.
    #[serde(default)]
    pub required: bool,
    /// Whether it is to be kept out of logs.
    #[serde(default)]
    pub secret: bool,
}

#[derive(Debug, Deserialize)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    #[serde(rename = "id")]
    _id: Option<String>,
    route: WrittenRoute,
    component: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum WrittenRoute {
    Public(String),
    Private { private: bool },
}

/// A component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its file, from the manifest's folder.
    pub source: PathBuf,
    /// What it is for.
    pub description: Option<String>,
    /// Whom it may call, with variables to be filled in.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// The stores that it may open.
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    /// The databases that it may open.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    /// What it may ask for, each a text with variables of the application to be filled in.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(rename = "build")]
    _build: Option<toml::Table>,
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// It is not there, or is not one that can be run here.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&text, folder).with_context(|| path.display().to_string())
    }

    fn parse(text: &str, folder: PathBuf) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        ensure!(manifest.spin_manifest_version == 2, "only version 2 of manifests is read");
        for trigger in &manifest.trigger.http {
            let name = &trigger.component;
            ensure!(manifest.component.contains_key(name), "a trigger names {name:?}, which is no component");
            if let WrittenRoute::Private { private: false } = trigger.route {
                bail!("{name:?} has a route that is neither private nor written");
            }
        }
        for (name, component) in &manifest.component {
            for label in component.key_value_stores.iter().chain(&component.sqlite_databases) {
                ensure!(
                    label == "default",
                    "{name:?} wants {label:?}; without a runtime config there is only \"default\""
                );
            }
        }
        for (name, variable) in &manifest.variables {
            ensure!(
                variable.required != variable.default.is_some(),
                "the variable {name:?} must be required or have a default, not both"
            );
        }
        Ok(Self { folder, ..manifest })
    }

    /// The routes that are written, with the components that they lead to.
    pub fn public_routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.trigger.http.iter().filter_map(|trigger| match &trigger.route {
            WrittenRoute::Public(route) => Some((route.as_str(), trigger.component.as_str())),
            WrittenRoute::Private { .. } => None,
        })
    }

    /// The components that some route leads to, a private one too.
    pub fn routed(&self) -> impl Iterator<Item = &str> {
        self.trigger.http.iter().map(|trigger| trigger.component.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        spin_manifest_version = 2
        application = { name = "a", version = "0.1.0" }
        [variables]
        key = { required = true, secret = true }
        [[trigger.http]]
        route = "/..."
        component = "front"
        [[trigger.http]]
        route = { private = true }
        component = "back"
        [component.front]
        source = "front.wasm"
        allowed_outbound_hosts = ["http://back.spin.internal"]
        [component.front.variables]
        key = "{{ key }}"
        [component.back]
        source = "back.wasm"
        key_value_stores = ["default"]
        sqlite_databases = ["default"]
        [component.back.build]
        command = "cargo build"
    "#;

    fn refused(from: &str, to: &str) -> String {
        let text = WHOLE.replace(from, to);
        assert_ne!(text, WHOLE);
        format!("{:#}", Manifest::parse(&text, PathBuf::new()).unwrap_err())
    }

    #[test]
    fn private_routes_lead_to_components_but_are_no_paths() {
        let manifest = Manifest::parse(WHOLE, PathBuf::new()).unwrap();
        assert_eq!(manifest.public_routes().collect::<Vec<_>>(), [("/...", "front")]);
        assert_eq!(manifest.routed().collect::<Vec<_>>(), ["front", "back"]);
        assert_eq!(manifest.component["back"].sqlite_databases, ["default"]);
        assert!(manifest.variables["key"].secret);
    }

    #[test]
    fn what_is_not_read_is_refused() {
        assert!(refused("[component.back.build]", "[component.back.dependencies]").contains("dependencies"));
        assert!(refused("key_value_stores = [\"default\"]", "key_value_stores = [\"other\"]").contains("other"));
        assert!(refused("component = \"back\"", "component = \"beck\"").contains("beck"));
        assert!(refused("spin_manifest_version = 2", "spin_manifest_version = 1").contains("version 2"));
        assert!(refused("required = true, ", "").contains("\"key\""));
    }
}
