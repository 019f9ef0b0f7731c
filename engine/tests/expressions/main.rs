//! Whatever is given as an expression, over whatever event: it is answered, at a bounded cost, and the ways around evaluating it come
//! to what evaluating it comes to. `cargo xtask fuzz` has these go on for as long as you like.
#![allow(clippy::expect_used, reason = "all of this is test code, and a test reports by panicking")]

mod grammar;

use grammar::{document, expression, garbled};
use proptest::prelude::*;
use serde_json::value::RawValue;
use stepwell_engine::expression::{Bindings, EvaluationError, Expression, Scope, key_at};
use stepwell_engine::ids::Millis;
use stepwell_engine::limits::EXPRESSION_BYTES_MAX;

const NOW: Millis = Millis(1_700_000_000_000);

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

/// Evaluates in both scopes, twice, and over events of every kind.
fn is_answered(source: &str, event: &RawValue, incoming: &RawValue) {
    for scope in [Scope::Trigger, Scope::Wait] {
        let Ok(expression) = Expression::compile(source, scope) else { continue };
        for incoming in [None, Some(incoming)] {
            let bindings = Bindings { event, incoming, now: NOW };
            let first = expression.holds(&bindings);
            assert_eq!(first, expression.holds(&bindings), "the same question has the same answer: {source}");
            // Whether it comes to anything or not, it comes to an end.
            let _ = expression.key(&bindings);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn any_text_is_answered(source in "\\PC{0,80}", event in document(), incoming in document()) {
        is_answered(&source, &raw(&event), &raw(&incoming));
    }

    #[test]
    fn any_expression_is_answered(source in expression(), event in document(), incoming in document()) {
        prop_assume!(source.len() <= EXPRESSION_BYTES_MAX);
        is_answered(&source, &raw(&event), &raw(&incoming));
    }

    #[test]
    fn what_is_nearly_an_expression_is_answered(source in garbled(), event in document(), incoming in document()) {
        is_answered(&source, &raw(&event), &raw(&incoming));
    }

    /// What the parser refuses here would be a gap in the grammar, or in the dialect.
    #[test]
    fn what_the_grammar_makes_is_an_expression(source in expression()) {
        if let Err(error) = Expression::compile(&source, Scope::Wait) {
            let is_bound = ["nested", "longer", "more than"].iter().any(|bound| error.message.contains(bound));
            prop_assert!(is_bound, "{source}: {error}");
        }
    }

    #[test]
    fn whoever_is_looked_up_by_a_term_misses_nothing(source in expression(), event in document(), incoming in document()) {
        let (event, incoming) = (raw(&event), raw(&incoming));
        let Ok(expression) = Expression::compile(&source, Scope::Wait) else { return Ok(()) };
        let Some(term) = expression.term(&Bindings { event: &event, incoming: None, now: NOW }) else { return Ok(()) };
        if expression.holds(&Bindings { event: &event, incoming: Some(&incoming), now: NOW }) == Ok(true) {
            prop_assert_eq!(key_at(&incoming, &term.path), Some(term.key), "{}", source);
        }
    }

    #[test]
    fn it_comes_to_the_same_over_what_it_needs(source in expression(), event in document(), incoming in document()) {
        let (event, incoming) = (raw(&event), raw(&incoming));
        let Ok(expression) = Expression::compile(&source, Scope::Wait) else { return Ok(()) };
        let needed = expression.needed_of(&event);
        let over = |event: &RawValue| expression.holds(&Bindings { event, incoming: Some(&incoming), now: NOW });
        let (whole, part) = (over(&event), over(&needed));
        // Less to look at costs less.
        if whole != Err(EvaluationError::TooCostly) {
            prop_assert_eq!(whole, part, "{} over {} and over {}", source, event, needed);
        }
    }
}

/// How many of each: a few hundred in a test run, and more where `PROPTEST_CASES` says so.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}
