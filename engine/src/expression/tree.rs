//! An expression as it is evaluated.

use super::functions::Function;
use regex_lite::Regex;

/// One node.
#[derive(Debug)]
pub(super) enum Node {
    /// A literal.
    Constant(Constant),
    /// `event.data.x`: a variable and the fields below it.
    Path {
        /// Where the evaluator remembers what the path led to.
        slot: usize,
        /// The variable.
        root: Root,
        /// The fields, in order.
        fields: Vec<String>,
    },
    /// A macro's variable, by its place on the stack of variables.
    Local(usize),
    /// `x.field`
    Field(Box<Node>, String),
    /// `x[i]`
    Index(Box<[Node; 2]>),
    /// `has(x.field)`; the whole selection.
    Has(Box<Node>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{a: b}`
    Map(Vec<(Node, Node)>),
    /// `!x`
    Not(Box<Node>),
    /// `-x`
    Negate(Box<Node>),
    /// `a && b`
    And(Box<[Node; 2]>),
    /// `a || b`
    Or(Box<[Node; 2]>),
    /// `a ? b : c`
    Conditional(Box<[Node; 3]>),
    /// `a == b` and its kin.
    Compare(Comparison, Box<[Node; 2]>),
    /// `a + b` and its kin.
    Arithmetic(Operator, Box<[Node; 2]>),
    /// `a in b`
    In(Box<[Node; 2]>),
    /// `a.matches("…")`, compiled beforehand.
    Matches(Box<Node>, Box<(Regex, u64)>),
    /// `f(a)` or `a.f()`.
    Call(Function, Vec<Node>),
    /// `range.exists(x, …)` and its kin.
    Each(Box<Each>),
}

/// A literal.
#[derive(Debug)]
pub(super) enum Constant {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.0`
    Double(f64),
    /// `"a"`
    String(String),
    /// `b"a"`
    Bytes(Vec<u8>),
    /// `int`, as in `type(x) == int`
    Type(&'static str),
}

/// A variable that is bound from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// `event`
    Event,
    /// `async`
    Incoming,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What is made of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

/// A macro over the elements of a list or the keys of a map.
#[derive(Debug)]
pub(super) struct Each {
    /// What is gone through.
    pub(super) range: Node,
    /// What is done.
    pub(super) action: Action,
}

/// What a macro does with each element, which is the newest local variable.
#[derive(Debug)]
pub(super) enum Action {
    /// `all`
    All(Node),
    /// `exists`
    Exists(Node),
    /// `exists_one`
    ExistsOne(Node),
    /// `map` and `filter`: where the condition (if any) holds, the value.
    Collect {
        /// `None`: every element.
        condition: Option<Node>,
        /// What becomes of it.
        value: Node,
    },
}
