//! Compiled expressions, kept by their text.

use super::{CompileError, Expression, Scope};
use crate::limits::EXPRESSIONS_CACHED_MAX;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

type Kept = HashMap<(Scope, String), Rc<Expression>>;

/// Two halves: what is used moves to the young one; when that is full it becomes the old one, and the old one goes.
#[derive(Default)]
struct Cache {
    young: Kept,
    old: Kept,
}

thread_local! {
    // Invisible from outside: the same text always compiles to the same expression.
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// As [`Expression::compile`], remembering what was compiled before.
///
/// # Errors
/// As [`Expression::compile`].
pub fn compiled(source: &str, scope: Scope) -> Result<Rc<Expression>, CompileError> {
    CACHE.with_borrow_mut(|cache| {
        // The key is a copy of the text; next to an evaluation that is nothing.
        let key = (scope, source.to_owned());
        if let Some(known) = cache.young.get(&key) {
            return Ok(known.clone());
        }
        let expression = match cache.old.remove(&key) {
            Some(known) => known,
            None => Rc::new(Expression::compile(source, scope)?),
        };
        if cache.young.len() >= EXPRESSIONS_CACHED_MAX.div_euclid(2) {
            cache.old = std::mem::take(&mut cache.young);
        }
        cache.young.insert(key, expression.clone());
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
        CACHE.with_borrow(|cache| assert!(cache.young.len() + cache.old.len() <= EXPRESSIONS_CACHED_MAX));
    }

    #[test]
    fn the_same_text_in_another_scope_is_another_expression() {
        assert!(compiled("async.data.x == 1", Scope::Wait).is_ok());
        assert!(compiled("async.data.x == 1", Scope::Trigger).is_err());
    }
}
