//! What an expression over an arriving event can be looked up by, and what of its own event it needs.
//!
//! A conjunct `async.data.x == v` whose `v` is known beforehand can hold for no event that has another value at that path.
//! So whoever waits with it is filed under path and value, and an event that looks under its own values meets only those
//! whom it may concern; the whole expression still decides.

use super::evaluate::{Evaluator, Failure};
use super::tree::{Action, Comparison, Node, Root};
use super::value::Value;
use super::{Bindings, Expression, convert, json};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The path and the value under which an expression can be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The fields below `async`.
    pub path: Vec<String>,
    /// The value there, as [`key_at`] writes it.
    pub key: String,
}

/// The value at `path` of an event, as a key: equal values have equal keys. `None` for what cannot be looked up: what is
/// missing, null, lists and objects.
#[must_use]
pub fn key_at(event: &RawValue, path: &[String]) -> Option<String> {
    key_of(&json::walk(event.get(), path).0)
}

impl Expression {
    /// What the expression can be looked up by while it waits, `event` being known; `None` where any event may concern it.
    /// Of several such terms, one that `event` decides is preferred to a constant: it sets more apart.
    #[must_use]
    pub fn term(&self, bindings: &Bindings<'_>) -> Option<Term> {
        let mut conjuncts = Vec::new();
        collect_conjuncts(&self.root, &mut conjuncts);
        let equalities: Vec<_> = conjuncts.into_iter().filter_map(equality).collect();
        let own = equalities.iter().filter(|(_, bound)| !matches!(bound, Node::Constant(_)));
        let constant = equalities.iter().filter(|(_, bound)| matches!(bound, Node::Constant(_)));
        own.chain(constant).find_map(|(path, bound)| {
            let mut evaluator = Evaluator::new(*bindings, self.scope, self.paths);
            match evaluator.value(bound) {
                Ok(value) => Some(Term { path: path.to_vec(), key: key_of(&value)? }),
                Err(Failure::NoOverload(_) | Failure::TooCostly) => None,
            }
        })
    }

    /// As much of `event` as the expression looks at: it comes to the same over this as over the whole.
    #[must_use]
    pub fn needed_of(&self, event: &RawValue) -> Box<RawValue> {
        let mut paths = Vec::new();
        collect_paths(&self.root, &mut paths);
        let mut needed = Needed::default();
        paths.into_iter().for_each(|path| needed.add(path));
        let mut out = String::new();
        needed.write(event.get(), &mut out);
        RawValue::from_string(out).unwrap_or_else(|_| event.to_owned())
    }
}

fn key_of(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::String(text) => format!("s{}", &**text),
        Value::Bool(value) => format!("b{value}"),
        // Neighbours may share a key; equal numbers always do.
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => number_key(convert::double(value)?),
        _ => return None,
    })
}

/// Numbers are equal across their types, and so are the two zeros.
fn number_key(number: f64) -> String {
    if number == 0.0 { "n0".to_owned() } else { format!("n{number:e}") }
}

fn collect_conjuncts<'e>(node: &'e Node, into: &mut Vec<&'e Node>) {
    match node {
        Node::And(pair) => pair.iter().for_each(|side| collect_conjuncts(side, into)),
        other => into.push(other),
    }
}

/// `async.… == bound`, either way round.
fn equality(node: &Node) -> Option<(&[String], &Node)> {
    let Node::Compare(Comparison::Equal, pair) = node else { return None };
    match &**pair {
        [Node::Path { root: Root::Incoming, fields, .. }, bound] if is_bound(bound) => Some((fields, bound)),
        [bound, Node::Path { root: Root::Incoming, fields, .. }] if is_bound(bound) => Some((fields, bound)),
        _ => None,
    }
}

/// Whether a node is the same for every arriving event, at any time.
fn is_bound(node: &Node) -> bool {
    match node {
        Node::Constant(_) => true,
        Node::Path { root, .. } => *root == Root::Event,
        Node::Field(of, _) | Node::Negate(of) => is_bound(of),
        Node::Index(pair) | Node::Arithmetic(_, pair) => pair.iter().all(is_bound),
        _ => false,
    }
}

/// The paths below `event`.
fn collect_paths<'e>(node: &'e Node, into: &mut Vec<&'e [String]>) {
    let mut all = |nodes: &mut dyn Iterator<Item = &'e Node>| nodes.for_each(|node| collect_paths(node, into));
    match node {
        Node::Path { root: Root::Event, fields, .. } => into.push(fields),
        Node::Path { root: Root::Incoming, .. } | Node::Constant(_) | Node::Local(_) => {}
        Node::Field(of, _) | Node::Has(of) | Node::Not(of) | Node::Negate(of) | Node::Matches(of, _) => {
            collect_paths(of, into);
        }
        Node::Index(pair) | Node::And(pair) | Node::Or(pair) | Node::In(pair) => all(&mut pair.iter()),
        Node::Compare(_, pair) | Node::Arithmetic(_, pair) => all(&mut pair.iter()),
        Node::List(nodes) | Node::Call(_, nodes) => all(&mut nodes.iter()),
        Node::Conditional(three) => all(&mut three.iter()),
        Node::Map(entries) => all(&mut entries.iter().flat_map(|(key, value)| [key, value])),
        Node::Each(each) => {
            collect_paths(&each.range, into);
            match &each.action {
                Action::All(node) | Action::Exists(node) | Action::ExistsOne(node) => collect_paths(node, into),
                Action::Collect { condition, value } => {
                    condition.iter().chain([value]).for_each(|node| collect_paths(node, into));
                }
            }
        }
    }
}

/// Paths as a tree: below a place that is needed as a whole there is nothing more to say.
#[derive(Default)]
struct Needed {
    whole: bool,
    below: BTreeMap<String, Needed>,
}

impl Needed {
    fn add(&mut self, path: &[String]) {
        match path.split_first() {
            None => self.whole = true,
            Some((first, rest)) => self.below.entry(first.clone()).or_default().add(rest),
        }
    }

    /// Writes what is needed of the value `text`. What is no object is kept as it is: what would be below it is missing.
    fn write(&self, text: &str, out: &mut String) {
        if self.whole || !text.trim_start().starts_with('{') {
            out.push_str(text);
            return;
        }
        out.push('{');
        let mut is_first = true;
        for (name, needed) in &self.below {
            let Some(held) = json::raw_field(text, name) else { continue };
            if !is_first {
                out.push(',');
            }
            is_first = false;
            out.push_str(&serde_json::Value::from(name.as_str()).to_string());
            out.push(':');
            needed.write(held, out);
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Scope;
    use crate::ids::Millis;

    const EVENT: &str =
        r#"{"name":"e","data":{"k":"a","n":7,"z":-0.0,"deep":{"b":true,"big":[1,2,3]},"list":["x"],"nil":null}}"#;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn term(source: &str) -> Option<(String, String)> {
        let event = raw(EVENT);
        let bindings = Bindings { event: &event, incoming: None, now: Millis(1) };
        let term = Expression::compile(source, Scope::Wait).unwrap().term(&bindings)?;
        Some((term.path.join("."), term.key))
    }

    #[test]
    fn an_equality_with_what_is_known_is_looked_up() {
        let found = |path: &str, key: &str| Some((path.to_owned(), key.to_owned()));
        for (source, expected) in [
            ("event.data.k == async.data.k", found("data.k", "sa")),
            ("async.data.id == 'x'", found("data.id", "sx")),
            ("async.data.n == event.data.n", found("data.n", "n7e0")),
            ("async.data.n == 7", found("data.n", "n7e0")),
            ("async.data.n == 7u && true", found("data.n", "n7e0")),
            ("async.data.z == event.data.z", found("data.z", "n0")),
            ("async.data.b == event.data.deep.b", found("data.b", "btrue")),
            ("async.data.x == event.data.list[0]", found("data.x", "sx")),
            // One that the run's own event decides is preferred.
            ("async.data.type == 'done' && async.data.k == event.data.k", found("data.k", "sa")),
            (
                "(async.data.type == 'done' && async.data.k > 'a') && event.data.nil == async.data.y",
                found("data.type", "sdone"),
            ),
            // What any event may fulfil.
            ("async.data.k != event.data.k", None),
            ("async.data.k == event.data.k || async.data.n == 1", None),
            ("async.data.k == event.data.missing", None),
            ("async.data.k == event.data.nil", None),
            ("async.data.k == event.data.deep", None),
            ("async.data.k == async.data.j", None),
            ("async.data.k in ['a', 'b']", None),
            ("async.data.at == now()", None),
            ("async.data.l[0] == 'a'", None),
            ("!(async.data.k == 'a')", None),
        ] {
            assert_eq!(term(source), expected, "{source}");
        }
    }

    #[test]
    fn equal_values_have_equal_keys_and_what_equals_nothing_has_none() {
        let event = raw(r#"{"data":{"i":7,"d":7.0,"e":0.7e1,"zero":0,"s":"7","t":true,"n":null,"l":[],"big":1e300}}"#);
        let key = |field: &str| key_at(&event, &["data".to_owned(), field.to_owned()]);
        assert_eq!(key("i"), key("d"));
        assert_eq!(key("i"), key("e"));
        assert_ne!(key("i"), key("s"));
        assert_eq!(key("zero").as_deref(), Some("n0"));
        assert_eq!(key("t").as_deref(), Some("btrue"));
        assert!(key("big").is_some());
        for nothing in ["n", "l", "missing"] {
            assert_eq!(key(nothing), None);
        }
    }

    #[test]
    fn an_expression_comes_to_the_same_over_what_it_needs() {
        let event = raw(EVENT);
        for (source, needed) in [
            ("event.data.k == async.data.k", r#"{"data":{"k":"a"}}"#),
            ("event.data.list[0] == async.data.k && event.data.deep.b", r#"{"data":{"deep":{"b":true},"list":["x"]}}"#),
            ("event.data.deep == async.data.k", r#"{"data":{"deep":{"b":true,"big":[1,2,3]}}}"#),
            ("has(event.data.none) || event.name == 'e'", r#"{"data":{},"name":"e"}"#),
            ("event.data.list.exists(x, x == event.data.k)", r#"{"data":{"k":"a","list":["x"]}}"#),
            ("event.data.k.deeper == async.data.k", r#"{"data":{"k":"a"}}"#),
            ("async.data.k == 1", "{}"),
        ] {
            let expression = Expression::compile(source, Scope::Wait).unwrap();
            let pruned = expression.needed_of(&event);
            assert_eq!(pruned.get(), needed, "{source}");
            for incoming in [r#"{"data":{"k":"a"}}"#, r#"{"data":{"k":1}}"#, "{}", r#"{"data":{"k":"x"}}"#] {
                let incoming = raw(incoming);
                let over = |event: &RawValue| {
                    let bindings = Bindings { event, incoming: Some(&incoming), now: Millis(1) };
                    expression.holds(&bindings)
                };
                assert_eq!(over(&event), over(&pruned), "{source}");
            }
        }
    }
}
