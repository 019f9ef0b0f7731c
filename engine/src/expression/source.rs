//! From text to the parser's tree: what must be done before the parser may see it.

use super::{CompileError, guard};
use crate::limits::{EXPRESSION_BRACKETS_MAX, EXPRESSION_BYTES_MAX};
use cel::parser::PrattParser;
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};

/// The parser's tree of `source`; how deep it is, is bounded.
pub(super) fn parse(source: &str) -> Result<cel::IdedExpr, CompileError> {
    if source.trim().is_empty() {
        return refuse("the expression is empty");
    }
    if source.len() > EXPRESSION_BYTES_MAX {
        return refuse(format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    let tokens = tokens(source)?;
    guard::check(&tokens).map_err(|message| CompileError { message })?;
    let escaped = with_regex_escapes(source, &tokens);
    PrattParser::new().max_recursion_depth(EXPRESSION_BRACKETS_MAX).error_recovery_limit(1).parse(&escaped).map_err(
        |errors| {
            let message = errors.errors.first().map_or_else(String::new, |error| {
                let (line, column) = error.pos;
                format!("line {line}, column {column}: {}", error.msg.trim_start_matches("Syntax error: "))
            });
            CompileError { message }
        },
    )
}

fn refuse<T>(message: impl Into<String>) -> Result<T, CompileError> {
    Err(CompileError { message: message.into() })
}

/// All tokens, the last being the end.
fn tokens(source: &str) -> Result<Vec<Token>, CompileError> {
    let mut lexer = Lexer::new(source);
    let mut tokens = Vec::new();
    // Every token but the end takes at least one byte.
    for _ in 0..=source.len() {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokEnd => return Ok(tokens),
            TokenKind::TokError => {
                let message = lexer.get_error().map_or("not a token", |error| error.message.as_str());
                return refuse(format!("at byte {}: {message}", token.start));
            }
            _ => tokens.push(token),
        }
    }
    refuse("the expression cannot be read")
}

/// Doubles the backslashes that CEL has no meaning for, so that `'\w'` is what a regular expression wants (SERVER §1.10).
fn with_regex_escapes(source: &str, tokens: &[Token]) -> String {
    let mut out = String::with_capacity(source.len());
    let mut done = 0;
    for token in tokens.iter().filter(|token| token.kind == TokenKind::TokString) {
        let (Some(before), Some(text)) = (source.get(done..token.start), source.get(token.start..token.end)) else {
            continue;
        };
        out.push_str(before);
        done = token.end;
        if text.starts_with(['r', 'R']) || !text.contains('\\') {
            out.push_str(text);
            continue;
        }
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            out.push(character);
            if character != '\\' {
                continue;
            }
            match characters.next() {
                Some(known) if r#"abfnrtv\'"`xXuU0123"#.contains(known) => out.push(known),
                Some(unknown) => out.extend(['\\', unknown]),
                None => {}
            }
        }
    }
    out.push_str(source.get(done..).unwrap_or_default());
    out
}
