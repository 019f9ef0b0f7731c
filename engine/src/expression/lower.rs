//! From the parser's tree to ours: every name is looked up here, once.

use super::functions::{self, Call};
use super::pattern;
use super::tree::{Action, Comparison, Constant, Each, Node, Operator, Root};
use super::{CompileError, Scope};
use crate::limits::EXPRESSION_DEPTH_MAX;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators};

/// The tree, and how many different paths are in it.
pub(super) fn lower(parsed: IdedExpr, scope: Scope) -> Result<(Node, usize), CompileError> {
    let mut lowering = Lowering { scope, locals: Vec::new(), paths: Vec::new(), depth: 0 };
    let node = lowering.node(parsed.expr)?;
    Ok((node, lowering.paths.len()))
}

type Lowered = Result<Node, CompileError>;

struct Lowering {
    scope: Scope,
    /// Names of macros' variables, the innermost last.
    locals: Vec<String>,
    paths: Vec<(Root, Vec<String>)>,
    depth: usize,
}

fn refuse<T>(message: impl Into<String>) -> Result<T, CompileError> {
    Err(CompileError { message: message.into() })
}

impl Lowering {
    fn node(&mut self, expr: Expr) -> Lowered {
        self.depth = self.depth.saturating_add(1);
        if self.depth > EXPRESSION_DEPTH_MAX.saturating_mul(2) {
            return refuse("the expression is nested too deeply");
        }
        let node = match expr {
            Expr::Literal(literal) => Ok(Node::Constant(constant(literal))),
            Expr::Ident(name) => self.variable(&name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => Ok(Node::List(self.nodes(list.elements)?)),
            Expr::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for entry in map.entries {
                    let EntryExpr::MapEntry(entry) = entry.expr else { return refuse("not a map entry") };
                    entries.push((self.node(entry.key.expr)?, self.node(entry.value.expr)?));
                }
                Ok(Node::Map(entries))
            }
            Expr::Comprehension(each) => self.each(*each),
            Expr::Struct(_) => refuse("messages cannot be made here; use a map, {\"name\": value}"),
            Expr::Unspecified => refuse("the expression is incomplete"),
        };
        self.depth = self.depth.saturating_sub(1);
        node
    }

    fn nodes(&mut self, list: Vec<IdedExpr>) -> Result<Vec<Node>, CompileError> {
        list.into_iter().map(|element| self.node(element.expr)).collect()
    }

    fn variable(&mut self, name: &str) -> Lowered {
        if let Some(place) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Node::Local(place));
        }
        match (name, self.scope) {
            ("event", _) => Ok(self.path(Root::Event, Vec::new())),
            ("async", Scope::Wait) => Ok(self.path(Root::Incoming, Vec::new())),
            ("async", Scope::Trigger) => refuse("`async` is known only where an event is waited for; use `event`"),
            _ => match functions::TYPES.iter().find(|known| **known == name) {
                Some(known) => Ok(Node::Constant(Constant::Type(known))),
                None => refuse(format!("`{name}` is not a variable; use `event`, as in `event.data.{name}`")),
            },
        }
    }

    /// The same path twice is one, so that it is looked up once.
    fn path(&mut self, root: Root, fields: Vec<String>) -> Node {
        let known = self.paths.iter().position(|(r, f)| *r == root && *f == fields);
        let slot = known.unwrap_or_else(|| {
            self.paths.push((root, fields.clone()));
            self.paths.len().saturating_sub(1)
        });
        Node::Path { slot, root, fields }
    }

    fn select(&mut self, select: SelectExpr) -> Lowered {
        let node = match self.node(select.operand.expr)? {
            Node::Path { root, mut fields, .. } => {
                fields.push(select.field);
                self.path(root, fields)
            }
            operand => Node::Field(Box::new(operand), select.field),
        };
        Ok(if select.test { Node::Has(Box::new(node)) } else { node })
    }

    fn call(&mut self, call: CallExpr) -> Lowered {
        let arguments = call.args.len();
        let name = call.func_name;
        let is_method = call.target.is_some();
        let target = call.target.map(|target| self.node(target.expr)).transpose()?;
        let mut args = target.into_iter().map(Ok).chain(call.args.into_iter().map(|arg| self.node(arg.expr)));
        let args: Vec<Node> = args.by_ref().collect::<Result<_, _>>()?;
        if is_method {
            return method(&name, arguments, args);
        }
        match <[Node; 1]>::try_from(args) {
            Ok([operand]) => match name.as_str() {
                operators::LOGICAL_NOT => Ok(Node::Not(Box::new(operand))),
                operators::NEGATE => Ok(Node::Negate(Box::new(operand))),
                _ => function(&name, vec![operand]),
            },
            Err(args) => match <[Node; 2]>::try_from(args) {
                Ok(pair) => binary(&name, pair),
                Err(args) => match <[Node; 3]>::try_from(args) {
                    Ok(three) if name == operators::CONDITIONAL => Ok(Node::Conditional(Box::new(three))),
                    Ok(three) => function(&name, three.into()),
                    Err(args) => function(&name, args),
                },
            },
        }
    }

    /// The parser has rewritten macros into loops with an accumulator, whose first value tells which macro it was.
    fn each(&mut self, each: ComprehensionExpr) -> Lowered {
        let range = self.node(each.iter_range.expr)?;
        self.locals.push(each.iter_var);
        let action = match (each.accu_init.expr, each.loop_step.expr) {
            (Expr::Literal(LiteralValue::Boolean(all)), Expr::Call(step)) => {
                let predicate = self.last(step.args)?;
                if all.into_inner() { Action::All(predicate) } else { Action::Exists(predicate) }
            }
            (Expr::Literal(LiteralValue::Int(_)), Expr::Call(step)) => Action::ExistsOne(self.first(step.args)?),
            (Expr::List(_), Expr::Call(step)) if step.func_name == operators::CONDITIONAL => {
                let mut args = step.args.into_iter();
                let (Some(condition), Some(append)) = (args.next(), args.next()) else { return refuse("not a macro") };
                let condition = Some(self.node(condition.expr)?);
                Action::Collect { condition, value: self.appended(append.expr)? }
            }
            (Expr::List(_), step) => Action::Collect { condition: None, value: self.appended(step)? },
            _ => return refuse("not a macro"),
        };
        self.locals.pop();
        Ok(Node::Each(Box::new(Each { range, action })))
    }

    fn first(&mut self, args: Vec<IdedExpr>) -> Lowered {
        args.into_iter().next().map_or_else(|| refuse("not a macro"), |arg| self.node(arg.expr))
    }

    fn last(&mut self, args: Vec<IdedExpr>) -> Lowered {
        args.into_iter().next_back().map_or_else(|| refuse("not a macro"), |arg| self.node(arg.expr))
    }

    /// `x` of `accumulator + [x]`.
    fn appended(&mut self, step: Expr) -> Lowered {
        let Expr::Call(add) = step else { return refuse("not a macro") };
        match add.args.into_iter().next_back().map(|list| list.expr) {
            Some(Expr::List(list)) => self.first(list.elements),
            _ => refuse("not a macro"),
        }
    }
}

fn constant(literal: LiteralValue) -> Constant {
    match literal {
        LiteralValue::Boolean(value) => Constant::Bool(value.into_inner()),
        LiteralValue::Bytes(value) => Constant::Bytes(value.into_inner()),
        LiteralValue::Double(value) => Constant::Double(value.into_inner()),
        LiteralValue::Int(value) => Constant::Int(value.into_inner()),
        LiteralValue::Null => Constant::Null,
        LiteralValue::String(value) => Constant::String(value.into_inner()),
        LiteralValue::UInt(value) => Constant::Uint(value.into_inner()),
    }
}

fn binary(name: &str, pair: [Node; 2]) -> Lowered {
    let boxed = |build: fn(Box<[Node; 2]>) -> Node, pair| Ok(build(Box::new(pair)));
    let compare = |comparison, pair| Ok(Node::Compare(comparison, Box::new(pair)));
    let arithmetic = |operator, pair| Ok(Node::Arithmetic(operator, Box::new(pair)));
    match name {
        operators::LOGICAL_AND => boxed(Node::And, pair),
        operators::LOGICAL_OR => boxed(Node::Or, pair),
        operators::INDEX => boxed(Node::Index, pair),
        operators::IN => boxed(Node::In, pair),
        operators::EQUALS => compare(Comparison::Equal, pair),
        operators::NOT_EQUALS => compare(Comparison::NotEqual, pair),
        operators::LESS => compare(Comparison::Less, pair),
        operators::LESS_EQUALS => compare(Comparison::LessOrEqual, pair),
        operators::GREATER => compare(Comparison::Greater, pair),
        operators::GREATER_EQUALS => compare(Comparison::GreaterOrEqual, pair),
        operators::ADD => arithmetic(Operator::Add, pair),
        operators::SUBSTRACT => arithmetic(Operator::Subtract, pair),
        operators::MULTIPLY => arithmetic(Operator::Multiply, pair),
        operators::DIVIDE => arithmetic(Operator::Divide, pair),
        operators::MODULO => arithmetic(Operator::Modulo, pair),
        _ => function(name, pair.into()),
    }
}

fn function(name: &str, args: Vec<Node>) -> Lowered {
    let count = args.len();
    called(functions::global(name, count), name, count, args)
}

fn method(name: &str, count: usize, args: Vec<Node>) -> Lowered {
    called(functions::method(name, count), name, count, args)
}

fn called(found: Call, name: &str, count: usize, args: Vec<Node>) -> Lowered {
    match found {
        Call::Known(functions::Function::Matches) => matches(args),
        Call::Known(function) => Ok(Node::Call(function, args)),
        Call::WrongCount => refuse(format!("`{name}` does not take {count} arguments")),
        Call::Unknown => refuse(format!("there is no function `{name}`")),
    }
}

/// A pattern that is known beforehand is compiled beforehand.
fn matches(args: Vec<Node>) -> Lowered {
    let compiled = match args.get(1) {
        Some(Node::Constant(Constant::String(text))) => {
            Some(pattern::compile(text).map_err(|message| CompileError { message })?)
        }
        _ => None,
    };
    match (compiled, args) {
        (Some(compiled), args) => match args.into_iter().next() {
            Some(subject) => Ok(Node::Matches(Box::new(subject), Box::new(compiled))),
            None => refuse("`matches` needs a text"),
        },
        (None, args) => Ok(Node::Call(functions::Function::Matches, args)),
    }
}
