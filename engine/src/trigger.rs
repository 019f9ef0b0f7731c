//! Which functions an event starts (SERVER §1.4, §1.5).

use crate::catalog::{Catalog, Function, Trigger};
use crate::expression::{self, Bindings, Scope};
use crate::ids::{FunctionId, Millis};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// What an event starts.
#[derive(Debug, Default)]
pub struct Matches<'c> {
    /// The functions that it starts, each once, in the order of their slugs.
    pub started: Vec<&'c Function>,
    /// The functions whose trigger could not be evaluated, with the reason. They are not started, now or later: the same
    /// event would meet the same error again.
    pub failed: Vec<(FunctionId, String)>,
}

/// The live functions that an event starts: those with a trigger whose name or wildcard fits and whose expression, if it
/// has one, holds. The first such trigger decides; a trigger that cannot be evaluated does not keep the next one from
/// starting the function.
///
/// `event` is the whole event as SDKs are sent it.
#[must_use]
pub fn started_by<'c>(catalog: &'c Catalog, name: &str, event: &RawValue, now: Millis) -> Matches<'c> {
    let bindings = Bindings { event, incoming: None, now };
    let mut heard: BTreeMap<&FunctionId, BTreeSet<usize>> = BTreeMap::new();
    for pattern in patterns_of(name) {
        for (function, position) in catalog.triggered_by(&pattern) {
            heard.entry(function).or_default().insert(*position);
        }
    }
    let mut matches = Matches::default();
    for (id, positions) in heard {
        let Some(function) = catalog.function(id) else { continue };
        let triggers = positions.into_iter().filter_map(|position| function.triggers.get(position));
        match starts(triggers, &bindings) {
            Ok(true) => matches.started.push(function),
            Ok(false) => {}
            Err(reason) => matches.failed.push((id.clone(), reason)),
        }
    }
    matches
}

/// The triggers that hear events called `name`: the name itself, each part of it before a `/` followed by `/*`, and each
/// part before a `.` followed by `.*`.
#[must_use]
pub fn patterns_of(name: &str) -> Vec<String> {
    let wildcards = name.char_indices().filter(|(_, separator)| matches!(separator, '/' | '.'));
    let wildcards = wildcards.filter_map(|(place, separator)| Some(format!("{}{separator}*", name.get(..place)?)));
    std::iter::once(name.to_owned()).chain(wildcards).collect()
}

fn starts<'t>(triggers: impl Iterator<Item = &'t Trigger>, bindings: &Bindings<'_>) -> Result<bool, String> {
    let mut failed = None;
    for trigger in triggers {
        let Trigger::Event { name: pattern, expression } = trigger else { continue };
        match holds(expression.as_deref(), bindings) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(reason) => failed = failed.or(Some(format!("trigger on {pattern}: {reason}"))),
        }
    }
    failed.map_or(Ok(false), Err)
}

fn holds(expression: Option<&str>, bindings: &Bindings<'_>) -> Result<bool, String> {
    let Some(source) = expression.filter(|source| !source.trim().is_empty()) else { return Ok(true) };
    let expression = expression::compiled(source, Scope::Trigger).map_err(|error| error.to_string())?;
    expression.holds(bindings).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event's name, and perhaps an expression.
    type On<'t> = (&'t str, Option<&'t str>);

    fn catalog(functions: &[(&str, &[On<'_>])]) -> Catalog {
        let function = |slug: &str, triggers: &[On<'_>]| Function {
            id: slug.into(),
            app: "app".into(),
            name: slug.to_owned(),
            url: "http://app.test/api/inngest".to_owned(),
            retries: 4,
            triggers: triggers
                .iter()
                .map(|(name, expression)| Trigger::Event {
                    name: (*name).to_owned(),
                    expression: expression.map(ToOwned::to_owned),
                })
                .collect(),
            version: 1,
            archived: false,
            paused: None,
            flow: crate::catalog::Flow::default(),
            app_calls_max: None,
            callee: crate::catalog::Derived::default(),
        };
        let functions = functions.iter().map(|(slug, triggers)| ((*slug).into(), function(slug, triggers))).collect();
        Catalog { version: 1, functions, ..Catalog::default() }
    }

    fn started(catalog: &Catalog, name: &str, event: &str) -> (Vec<String>, Vec<String>) {
        let event = RawValue::from_string(event.to_owned()).expect("JSON");
        let matches = started_by(catalog, name, &event, Millis(1_700_000_000_000));
        (
            matches.started.iter().map(|function| function.id.to_string()).collect(),
            matches.failed.iter().map(|(id, reason)| format!("{id}: {reason}")).collect(),
        )
    }

    #[test]
    fn a_wildcard_hears_what_is_below_its_prefix() {
        let cases = [
            ("app/user.created", "app/user.created", true),
            ("app/*", "app/user.created", true),
            ("app/user.*", "app/user.created", true),
            ("api/*", "api/v1/users", true),
            ("api/v1/*", "api/v1/users", true),
            ("api/v1/*", "api/v1/", true),
            ("app/*", "app", false),
            ("app/*", "apple/user", false),
            ("app/user.*", "app/user", false),
            ("app/user.*", "app/username.created", false),
            ("*", "simple", false),
            ("/*", "simple", false),
            ("app/us*", "app/user.created", false),
            ("*/user.created", "app/user.created", false),
            ("app.*", "app/user.created", false),
            ("app/user.created.*", "app/user.created", false),
            ("App/*", "app/user", false),
            ("a/*", "a/*", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(patterns_of(name).contains(&pattern.to_owned()), expected, "{pattern} hears {name}");
        }
    }

    #[test]
    fn functions_start_once_each_in_the_order_of_their_slugs() {
        let catalog = catalog(&[
            ("app-b", &[("a/x", None), ("a/*", None)]),
            ("app-a", &[("other", None), ("a/*", Some("event.data.n > 1"))]),
            ("app-c", &[("a/y", None)]),
            ("app-d", &[]),
        ]);
        let (started, failed) = started(&catalog, "a/x", r#"{"name":"a/x","data":{"n":2}}"#);
        assert_eq!(started, ["app-a", "app-b"]);
        assert!(failed.is_empty());
    }

    #[test]
    fn archived_functions_and_schedules_are_not_started() {
        let mut catalog = catalog(&[("app-a", &[("a", None)]), ("app-b", &[("a", None)])]);
        catalog.functions.get_mut(&"app-a".into()).expect("there").archived = true;
        let schedule = Trigger::Cron { schedule: "* * * * *".to_owned(), jitter: None };
        catalog.functions.get_mut(&"app-b".into()).expect("there").triggers = vec![schedule];
        assert_eq!(started(&catalog, "a", "{}"), (Vec::new(), Vec::new()));
    }

    #[test]
    fn an_expression_that_fails_keeps_its_function_alone_from_starting() {
        let catalog = catalog(&[
            ("app-bad", &[("a", Some("event.data.s"))]),
            ("app-broken", &[("a", Some("event.data. =="))]),
            ("app-good", &[("a", None)]),
            ("app-second", &[("a", Some("!event.data.s")), ("a", Some("event.data.s == 'abc'"))]),
        ]);
        let (started, failed) = started(&catalog, "a", r#"{"data":{"s":"abc"}}"#);
        assert_eq!(started, ["app-good", "app-second"]);
        assert_eq!(failed.len(), 2);
        assert!(failed[0].starts_with("app-bad: trigger on a: the expression gave string (abc)"), "{failed:?}");
        assert!(failed[1].starts_with("app-broken: trigger on a: "), "{failed:?}");
    }
}
