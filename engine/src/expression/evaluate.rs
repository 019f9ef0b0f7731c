//! The walk over the tree.

use super::tree::{Constant, Node, Root};
use super::value::{Text, Value};
use super::{Bindings, Scope, access, arithmetic, compare, functions, json, macros};
use crate::limits::EXPRESSION_STEPS_MAX;

/// What a part of an expression comes to.
pub(super) type Evaluated<'a> = Result<Value<'a>, Failure>;

/// Why a part of an expression has no value.
#[derive(Debug)]
pub(super) enum Failure {
    /// Counts as false under `||`, `&&` and `?:`.
    NoOverload(String),
    /// Ends the evaluation.
    TooCostly,
}

/// One evaluation.
pub(super) struct Evaluator<'a> {
    bindings: Bindings<'a>,
    scope: Scope,
    /// What each path led to, once it has been looked up.
    paths: Vec<Option<Value<'a>>>,
    /// Macros' variables, the innermost last.
    locals: Vec<Value<'a>>,
    steps: u64,
}

/// Bytes that cost one step.
const BYTES_PER_STEP: usize = 256;

impl<'a> Evaluator<'a> {
    pub(super) fn new(bindings: Bindings<'a>, scope: Scope, paths: usize) -> Self {
        Self { bindings, scope, paths: vec![None; paths], locals: Vec::new(), steps: 0 }
    }

    /// The steps so far.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// What `now()` is.
    pub(super) fn now(&self) -> crate::ids::Millis {
        self.bindings.now
    }

    /// Pays for `steps` of work.
    pub(super) fn charge(&mut self, steps: u64) -> Result<(), Failure> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > EXPRESSION_STEPS_MAX { Err(Failure::TooCostly) } else { Ok(()) }
    }

    /// Pays for looking at so many bytes.
    pub(super) fn charge_bytes(&mut self, bytes: usize) -> Result<(), Failure> {
        self.charge(u64::try_from(bytes.div_ceil(BYTES_PER_STEP)).unwrap_or(u64::MAX))
    }

    /// Runs `body` with one more local variable.
    pub(super) fn with_local<T>(
        &mut self,
        value: Value<'a>,
        body: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.locals.push(value);
        let result = body(self);
        self.locals.pop();
        result
    }

    /// The value of `node`.
    pub(super) fn value(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.charge(1)?;
        match node {
            Node::Constant(constant) => Ok(literal(constant)),
            Node::Path { slot, root, fields } => Ok(match self.path(*slot, *root, fields)? {
                // A wait knows the event of its run for good: what is missing there stays missing.
                Value::Missing if self.scope == Scope::Wait && *root == Root::Event => Value::Null,
                value => value,
            }),
            Node::Local(place) => Ok(self.locals.get(*place).cloned().unwrap_or(Value::Missing)),
            Node::Field(operand, field) => {
                let container = self.value(operand)?;
                access::field(self, &container, field)
            }
            Node::Index(pair) => {
                let [container, key] = self.pair(pair)?;
                access::index(self, &container, &key)
            }
            Node::Has(selection) => {
                let selected = match &**selection {
                    Node::Path { slot, root, fields } => self.path(*slot, *root, fields)?,
                    other => self.value(other)?,
                };
                Ok(Value::Bool(!matches!(selected, Value::Missing)))
            }
            Node::List(elements) => Ok(Value::list(self.values(elements)?)),
            Node::Map(entries) => {
                let mut made = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    made.push((self.value(key)?, self.value(value)?));
                }
                Ok(Value::Map(made.into()))
            }
            Node::Not(operand) => not(&self.value(operand)?),
            Node::Negate(operand) => Ok(arithmetic::negate(&self.value(operand)?)),
            Node::Or(pair) => self.or(pair),
            Node::And(pair) => self.and(pair),
            Node::Conditional(three) => {
                let [condition, yes, no] = &**three;
                let holds = self.truth(condition)?;
                self.value(if holds { yes } else { no })
            }
            Node::Compare(comparison, pair) => {
                let [left, right] = self.pair(pair)?;
                compare::compare(self, *comparison, &left, &right).map(Value::Bool)
            }
            Node::Arithmetic(operator, pair) => {
                let [left, right] = self.pair(pair)?;
                arithmetic::combine(self, *operator, left, right)
            }
            Node::In(pair) => {
                let [element, container] = self.pair(pair)?;
                compare::contains(self, &element, &container).map(Value::Bool)
            }
            Node::Matches(subject, pattern) => {
                let subject = self.value(subject)?;
                super::pattern::matches(self, &subject, pattern)
            }
            Node::Call(function, args) => {
                let args = self.values(args)?;
                functions::call(self, *function, args)
            }
            Node::Each(each) => macros::each(self, each),
        }
    }

    /// Whether `||`, `&&`, `?:` and the macros take it for true; what has no value is false.
    pub(super) fn truth(&mut self, node: &'a Node) -> Result<bool, Failure> {
        match self.value(node) {
            Ok(value) => Ok(value.is_truthy()),
            Err(Failure::NoOverload(_)) => Ok(false),
            Err(Failure::TooCostly) => Err(Failure::TooCostly),
        }
    }

    /// As in JavaScript: the first operand that is true, or else the last (SERVER §1.10).
    fn or(&mut self, pair: &'a [Node; 2]) -> Evaluated<'a> {
        let [left, right] = pair;
        let left = self.value(left);
        match left {
            Ok(value) if value.is_truthy() => Ok(value),
            Err(Failure::TooCostly) => Err(Failure::TooCostly),
            Ok(_) => self.value(right),
            Err(failure) => match self.value(right)? {
                value if value.is_truthy() => Ok(value),
                _ => Err(failure),
            },
        }
    }

    /// As in JavaScript: the first operand that is false, or else the last (SERVER §1.10).
    fn and(&mut self, pair: &'a [Node; 2]) -> Evaluated<'a> {
        let [left, right] = pair;
        let left = self.value(left);
        match left {
            Ok(value) if !value.is_truthy() => Ok(value),
            Err(Failure::TooCostly) => Err(Failure::TooCostly),
            Ok(_) => self.value(right),
            Err(failure) => match self.value(right)? {
                value if !value.is_truthy() => Ok(value),
                _ => Err(failure),
            },
        }
    }

    fn pair(&mut self, pair: &'a [Node; 2]) -> Result<[Value<'a>; 2], Failure> {
        let [left, right] = pair;
        Ok([self.value(left)?, self.value(right)?])
    }

    fn values(&mut self, nodes: &'a [Node]) -> Result<Vec<Value<'a>>, Failure> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn path(&mut self, slot: usize, root: Root, fields: &[String]) -> Evaluated<'a> {
        if let Some(Some(known)) = self.paths.get(slot) {
            return Ok(known.clone());
        }
        let bound = match root {
            Root::Event => Some(self.bindings.event),
            Root::Incoming => self.bindings.incoming,
        };
        let (value, looked_at) = bound.map_or((Value::Missing, 0), |raw| json::walk(raw.get(), fields));
        self.charge_bytes(looked_at)?;
        if let Some(remembered) = self.paths.get_mut(slot) {
            *remembered = Some(value.clone());
        }
        Ok(value)
    }
}

fn literal(constant: &Constant) -> Value<'_> {
    match constant {
        Constant::Null => Value::Null,
        Constant::Bool(value) => Value::Bool(*value),
        Constant::Int(value) => Value::Int(*value),
        Constant::Uint(value) => Value::Uint(*value),
        Constant::Double(value) => Value::Double(*value),
        Constant::String(text) => Value::String(Text::Borrowed(text)),
        Constant::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
        Constant::Type(name) => Value::Type(name),
    }
}

/// `!` knows booleans only; of what is missing it makes false, not true (SERVER §1.10).
fn not<'a>(operand: &Value<'a>) -> Evaluated<'a> {
    match operand {
        Value::Bool(value) => Ok(Value::Bool(!value)),
        Value::Missing => Ok(Value::Bool(false)),
        other => Err(Failure::NoOverload(format!("`!` cannot be applied to {}", other.kind()))),
    }
}
