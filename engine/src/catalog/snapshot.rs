//! The read-only snapshot that turns decide by.

use super::{App, Derived, Function, Trigger};
use crate::error::Fault;
use crate::ids::{AppId, FunctionId};
use crate::turn::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All apps and functions, at one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// 0 before the first sync.
    pub version: u64,
    /// Apps by name, archived ones among them.
    pub apps: BTreeMap<AppId, App>,
    /// Functions by slug, archived ones among them.
    pub functions: BTreeMap<FunctionId, Function>,
    /// What [`Catalog::triggered_by`] looks into. A catalog whose functions are changed after that was asked needs a new one.
    #[serde(skip)]
    pub triggers: Derived<TriggerIndex>,
}

impl Catalog {
    /// Reads what [`Catalog::encode`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn decode(snapshot: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(snapshot).map_err(|e| Fault::new("catalog snapshot", e))
    }

    /// The snapshot as bytes.
    ///
    /// # Errors
    /// None in practice; JSON's in principle.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|e| Fault::new("catalog snapshot", e))
    }

    /// As a server with these settings decides by it.
    #[must_use]
    pub fn under(mut self, settings: &Settings) -> Self {
        for function in self.functions.values_mut() {
            function.app_calls_max = settings.calls_per_app_max;
        }
        self
    }

    /// The function with this slug, archived or not.
    #[must_use]
    pub fn function(&self, id: &FunctionId) -> Option<&Function> {
        self.functions.get(id)
    }

    /// The live functions with a trigger on exactly `pattern`, and which of its triggers it is, by slug and position.
    ///
    /// An event's name stands for several patterns (SERVER §1.5): ask for each.
    #[must_use]
    pub fn triggered_by(&self, pattern: &str) -> &[(FunctionId, usize)] {
        let index = self.triggers.get_or_make(|| index_of(&self.functions));
        index.get(pattern).map_or(&[], Vec::as_slice)
    }
}

/// From an event trigger's name to who has it. Made when it is first asked: most parts never ask.
pub type TriggerIndex = BTreeMap<String, Vec<(FunctionId, usize)>>;

fn index_of(functions: &BTreeMap<FunctionId, Function>) -> TriggerIndex {
    let mut index = TriggerIndex::new();
    for function in functions.values().filter(|function| !function.archived) {
        for (position, trigger) in function.triggers.iter().enumerate() {
            if let Trigger::Event { name, .. } = trigger {
                index.entry(name.clone()).or_default().push((function.id.clone(), position));
            }
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Flow;

    fn function(id: &str, names: &[&str], archived: bool) -> (FunctionId, Function) {
        let triggers = names.iter().map(|name| Trigger::Event { name: (*name).to_owned(), expression: None }).collect();
        let function = Function {
            id: id.into(),
            app: "app".into(),
            name: id.to_owned(),
            url: "http://localhost:3000".to_owned(),
            retries: 4,
            triggers,
            version: 1,
            archived,
            paused: None,
            flow: Flow::default(),
            app_calls_max: None,
            callee: Derived::default(),
        };
        (id.into(), function)
    }

    #[test]
    fn live_functions_are_found_by_their_triggers() {
        let functions = BTreeMap::from([
            function("app-a", &["a/b", "a/*"], false),
            function("app-b", &["c", "a/b"], false),
            function("app-gone", &["a/b"], true),
        ]);
        let catalog = Catalog { version: 3, functions, ..Catalog::default() };
        let again = Catalog::decode(&catalog.encode().unwrap()).unwrap();
        assert_eq!(again.triggered_by("a/b"), [("app-a".into(), 0), ("app-b".into(), 1)]);
        assert_eq!(again.triggered_by("a/*"), [("app-a".into(), 1)]);
        assert!(again.triggered_by("a").is_empty());
        assert_eq!(again, catalog);
    }

    #[test]
    fn a_copy_that_is_changed_does_not_keep_the_old_index() {
        let catalog = Catalog { functions: BTreeMap::from([function("app-a", &["a"], false)]), ..Catalog::default() };
        assert_eq!(catalog.triggered_by("a").len(), 1);
        let mut copy = catalog.clone();
        copy.functions.clear();
        assert!(copy.triggered_by("a").is_empty());
        assert_eq!(catalog.triggered_by("a").len(), 1);
    }
}
