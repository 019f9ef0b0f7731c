//! Refuses what would make a deep tree, before the parser builds it: deep trees overflow stacks when they are dropped.
//!
//! The parser bounds its own recursion through brackets, yet not the depth of the trees that it builds in loops
//! (`a.a.a.a`, `1+1+1`), nor its recursion through `?:`. A stretch between separators is at most as deep as its operators
//! are many, plus what its brackets hold; `&&` and `||` separate, since the parser balances them.

use crate::limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_PARENTHESES_MAX, EXPRESSION_TERNARIES_MAX};
use cel::parser::pratt_parser::{Token, TokenKind};

/// An open bracket.
#[derive(Default)]
struct Level {
    /// Operators since the last separator.
    now: usize,
    /// The most that there were between two separators.
    most: usize,
}

/// Whether the text is shallow enough for the parser.
///
/// # Errors
/// Why it is not.
pub(super) fn check(tokens: &[Token]) -> Result<(), String> {
    let count = |kind| tokens.iter().filter(|token| token.kind == kind).count();
    if count(TokenKind::TokQuestion) > EXPRESSION_TERNARIES_MAX {
        return Err(format!("the expression has more than {EXPRESSION_TERNARIES_MAX} conditions with `?:`"));
    }
    if count(TokenKind::TokLeftParen) > EXPRESSION_PARENTHESES_MAX {
        return Err(format!("the expression has more than {EXPRESSION_PARENTHESES_MAX} parentheses"));
    }
    let (mut inner, mut outer) = (Level::default(), Vec::new());
    for token in tokens {
        use TokenKind as T;
        match token.kind {
            T::TokLeftParen | T::TokLeftBracket | T::TokLeftBrace => outer.push(std::mem::take(&mut inner)),
            T::TokRightParen | T::TokRightBracket | T::TokRightBrace => {
                // One too many is for the parser to complain of.
                if let Some(around) = outer.pop() {
                    let held = inner.now.max(inner.most);
                    inner = Level { now: around.now.saturating_add(held).saturating_add(1), ..around };
                }
            }
            T::TokLogicalAnd | T::TokLogicalOr | T::TokComma | T::TokColon | T::TokQuestion => {
                inner = Level { now: 0, most: inner.most.max(inner.now) };
            }
            T::TokDot
            | T::TokMinus
            | T::TokPlus
            | T::TokAsterisk
            | T::TokSlash
            | T::TokPercent
            | T::TokExclamation
            | T::TokEqualEqual
            | T::TokExclamationEqual
            | T::TokLess
            | T::TokLessEqual
            | T::TokGreater
            | T::TokGreaterEqual
            | T::TokIn => inner.now = inner.now.saturating_add(1),
            _ => {}
        }
        if outer.len() > EXPRESSION_DEPTH_MAX || inner.now > EXPRESSION_DEPTH_MAX {
            return Err(format!("the expression is nested more than {EXPRESSION_DEPTH_MAX} levels deep"));
        }
    }
    Ok(())
}
