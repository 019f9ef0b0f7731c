//! Compiled expressions, kept by their text.

use super::{CompileError, Expression, Scope};
use crate::limits::EXPRESSIONS_CACHED_MAX;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

type Kept = HashMap<String, Rc<Expression>>;

/// Two halves: what is used moves to the young one; when that is full it becomes the old one, and the old one goes.
#[derive(Default)]
struct Cache {
    young: Kept,
    old: Kept,
}

thread_local! {
    // Invisible from outside: the same text always compiles to the same expression.
    static TRIGGERS: RefCell<Cache> = RefCell::default();
    static WAITS: RefCell<Cache> = RefCell::default();
}

/// As [`Expression::compile`], remembering what was compiled before.
///
/// # Errors
/// As [`Expression::compile`].
pub fn compiled(source: &str, scope: Scope) -> Result<Rc<Expression>, CompileError> {
    let cache = match scope {
        Scope::Trigger => &TRIGGERS,
        Scope::Wait => &WAITS,
    };
    cache.with_borrow_mut(|cache| {
        if let Some(known) = cache.young.get(source) {
            return Ok(known.clone());
        }
        let expression = match cache.old.remove(source) {
            Some(known) => known,
            None => Rc::new(Expression::compile(source, scope)?),
        };
        if cache.young.len() >= EXPRESSIONS_CACHED_MAX.div_euclid(2) {
            cache.old = std::mem::take(&mut cache.young);
        }
        cache.young.insert(source.to_owned(), expression.clone());
        Ok(expression)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_keeps_what_is_used_and_is_bounded() {
        let used = compiled("event.data.used", Scope::Trigger).expect("compiles");
        for n in 0..EXPRESSIONS_CACHED_MAX * 2 {
            compiled(&format!("event.data.n == {n}"), Scope::Trigger).expect("compiles");
            assert!(Rc::ptr_eq(&used, &compiled("event.data.used", Scope::Trigger).expect("compiles")));
        }
        TRIGGERS.with_borrow(|cache| assert!(cache.young.len() + cache.old.len() <= EXPRESSIONS_CACHED_MAX));
    }

    #[test]
    fn the_same_text_in_another_scope_is_another_expression() {
        assert!(compiled("async.data.x == 1", Scope::Wait).is_ok());
        assert!(compiled("async.data.x == 1", Scope::Trigger).is_err());
    }
}
