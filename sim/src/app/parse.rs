//! The short form of the named scenarios.

use super::program::{
    Act, Before, CancelOn, Condition, End, Flow, Member, Program, Sdk, Stage, Step, Throws, Timeouts,
};
use std::collections::BTreeMap;

/// Retries of a function in the short form: more than its steps throw and its calls go wrong.
const RETRIES: u32 = 9;

impl Program {
    /// Reads the short form: stages are separated by blanks.
    ///
    /// | | |
    /// | --- | --- |
    /// | `a`, `a*3` | a step; three of one name, one after another |
    /// | `a!2`, `a!`, `a!!` | throws twice; always; once, and is not to be retried |
    /// | `a?`, `a??` | always, or once for good, and is caught |
    /// | `a%90` | takes 90 seconds |
    /// | `a^b` | sends the event `sim/b` |
    /// | `a;3` | throws once and asks to be tried again in 3 seconds |
    /// | `a$s` | sends the signal `s` |
    /// | `"`, `"2` | asks somebody else's server; which refuses twice |
    /// | `~5` | sleeps five seconds |
    /// | `@5`, `@=5` | waits five seconds for `sim/wake0`; for one with the run's own number |
    /// | `#5`, `#=5` | waits five seconds for the signal `s0`; takes the place of whoever does |
    /// | `&g`, `&g~5`, `&g?` | invokes `g`; waits five seconds at most; catches what it throws |
    /// | `a\|b>c\|~1` | three chains side by side |
    /// | `a/b/~5` | a race |
    /// | `.!2`, `.!!` | at the end: the function throws twice; gives up |
    /// | `+g`, `+g%` | defers `g`; and thinks then |
    /// | `+!` | takes the last deferral back |
    /// | `+` | others defer it |
    /// | `-stop`, `-=stop` | `sim/stop` cancels its runs; one with the run's own number |
    /// | `=2`, `=k2`, `=e2` | two calls at once; of runs with one number; of all functions' runs with one number |
    /// | `=r2` | two runs at once |
    /// | `_2,30` | two starts in 30 seconds |
    /// | `[3,5` | batches of three events, for five seconds |
    /// | `{5` | a debounce of five seconds |
    /// | `(2` | two starts in an hour |
    /// | `1skip`, `1cancel` | one run at a time for each number |
    /// | `<5`, `<<5` | its runs may take five seconds; must begin within five seconds |
    #[must_use]
    pub fn parse(text: &str, sdk: Sdk) -> Self {
        Self { triggers: vec!["sim/f".to_owned()], ..Self::named("f", text, sdk) }
    }

    /// A function that nothing triggers, in the same short form.
    #[must_use]
    pub fn named(name: &str, text: &str, sdk: Sdk) -> Self {
        let mut seen = Seen::default();
        let (mut stages, mut end) = (Vec::new(), End::Returns);
        let (mut every_min, mut is_deferred) = (None, false);
        let (mut cancel_on, mut timeouts, mut flow) = (Vec::new(), Timeouts::default(), Flow::default());
        for stage in text.split_whitespace() {
            if flow_of(stage, &mut flow) {
                continue;
            }
            if let Some(event) = stage.strip_prefix('-') {
                let condition = event.starts_with('=').then_some(Condition::Same);
                let event = format!("sim/{}", event.trim_start_matches('='));
                cancel_on.push(CancelOn { event, condition, timeout_s: None });
            } else if stage == "+" {
                is_deferred = true;
            } else if let Some(minutes) = stage.strip_prefix(':') {
                every_min = Some(number(minutes).into());
            } else if let Some(seconds) = stage.strip_prefix("<<") {
                timeouts.start_s = Some(number(seconds).into());
            } else if let Some(seconds) = stage.strip_prefix('<') {
                timeouts.finish_s = Some(number(seconds).into());
            } else if let Some(rest) = stage.strip_prefix('.') {
                end = if rest == "!!" { End::GivesUp } else { End::Throws(number(rest.trim_start_matches('!'))) };
            } else if stage.contains('|') {
                let chain = |chain: &str| chain.split('>').map(|member| seen.member(member)).collect();
                stages.push(Stage::Parallel(stage.split('|').map(chain).collect()));
            } else if stage.contains('/') {
                stages.push(Stage::Race(stage.split('/').map(|member| seen.member(member)).collect()));
            } else {
                let (member, times) = stage.split_once('*').map_or((stage, 1), |(name, times)| (name, number(times)));
                stages.extend((0..times).map(|_| Stage::One(seen.member(member))));
            }
        }
        Self {
            name: name.to_owned(),
            triggers: Vec::new(),
            is_deferred,
            every_min,
            stages,
            end,
            sdk,
            retries: RETRIES,
            wanders: false,
            cancel_on,
            timeouts,
            flow,
        }
    }
}

/// Takes a stage in that is flow control; says whether it is.
fn flow_of(stage: &str, flow: &mut Flow) -> bool {
    let two = |text: &str| {
        let (first, second) = text.split_once(',').unwrap_or((text, "1"));
        (number(first), u64::from(number(second)))
    };
    if let Some(limit) = stage.strip_prefix("=k") {
        flow.calls_of_one = Some(number(limit));
    } else if let Some(limit) = stage.strip_prefix("=e") {
        flow.calls_of_all = Some(number(limit));
    } else if let Some(limit) = stage.strip_prefix("=r") {
        flow.runs = Some(number(limit));
    } else if let Some(limit) = stage.strip_prefix('=') {
        flow.calls = Some(number(limit));
    } else if let Some(rest) = stage.strip_prefix('_') {
        flow.throttle = Some(two(rest));
    } else if let Some(rest) = stage.strip_prefix('[') {
        let (size, seconds) = two(rest);
        flow.before = Some(Before::Batch(size, seconds));
    } else if let Some(seconds) = stage.strip_prefix('{') {
        flow.before = Some(Before::Debounce(number(seconds).into()));
    } else if let Some(limit) = stage.strip_prefix('(') {
        flow.before = Some(Before::RateLimit(number(limit)));
    } else if stage == "1skip" || stage == "1cancel" {
        flow.before = Some(Before::Singleton(stage == "1cancel"));
    } else {
        return false;
    }
    true
}

/// Ids by their names, counted as SDKs count them (PROTOCOL §3.6); and the id of the last deferral.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, u32>, String);

impl Seen {
    /// The id of the next use of `name`.
    pub(super) fn id(&mut self, name: &str) -> String {
        let uses = self.0.entry(name.to_owned()).or_default();
        let id = if *uses == 0 { name.to_owned() } else { format!("{name}:{uses}") };
        *uses = uses.saturating_add(1);
        id
    }

    /// What is said of a deferral.
    pub(super) fn deferral(&mut self, text: &str) -> Member {
        if text == "!" {
            let of = self.1.clone();
            return Member { id: format!("{of}:abort"), act: Act::TakeBack { of } };
        }
        let (function, thinks) = text.strip_suffix('%').map_or((text, false), |function| (function, true));
        let id = self.id("defer");
        self.1.clone_from(&id);
        Member { id, act: Act::Defer { function: function.to_owned(), thinks } }
    }

    fn member(&mut self, text: &str) -> Member {
        if let Some(deferral) = text.strip_prefix('+') {
            return self.deferral(deferral);
        }
        if let Some(refuses) = text.strip_prefix('"') {
            return Member { id: self.id("ask"), act: Act::Infer { refuses: refuses.parse().unwrap_or(0) } };
        }
        if let Some(act) = pause(text) {
            return Member { id: self.id(act.0), act: act.1 };
        }
        let end = text.find(['!', '?', '%', '^', '$', ';']).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let argument = || rest.trim_start_matches(['!', '?', '%', '^', '$', ';']);
        let mut step = Step::default();
        match rest.as_bytes() {
            [] => {}
            [b'!'] => step.throws = Throws::Always,
            [b'!', b'!'] => step.throws = Throws::AtOnce,
            [b'?', rest @ ..] => {
                step.throws = if rest.is_empty() { Throws::Always } else { Throws::AtOnce };
                step.is_caught = true;
            }
            [b'!', ..] => step.throws = Throws::Times(number(argument())),
            [b'%', ..] => step.takes_ms = u64::from(number(argument())).saturating_mul(1_000),
            [b'^', ..] => step.sends = Some(format!("sim/{}", argument())),
            [b'$', ..] => step.signals = Some(argument().to_owned()),
            _ => {
                step.throws = Throws::Times(1);
                step.retry_after_s = Some(number(argument()).into());
            }
        }
        Member { id: self.id(name), act: Act::Step(step) }
    }
}

/// A pause, and what it is called.
fn pause(text: &str) -> Option<(&str, Act)> {
    let seconds = |text: &str| number(text.trim_start_matches('=')).into();
    if let Some(rest) = text.strip_prefix('~') {
        return Some(("nap", Act::Sleep { seconds: seconds(rest) }));
    }
    if let Some(rest) = text.strip_prefix('@') {
        let condition = rest.starts_with('=').then_some(Condition::Same);
        return Some(("wait", Act::Wait { event: "sim/wake0".to_owned(), condition, seconds: seconds(rest) }));
    }
    if let Some(rest) = text.strip_prefix('#') {
        let replaces = rest.starts_with('=');
        return Some(("hear", Act::AwaitSignal { signal: "s0".to_owned(), replaces, seconds: seconds(rest) }));
    }
    let rest = text.strip_prefix('&')?;
    let (called, is_caught) = rest.strip_suffix('?').map_or((rest, false), |called| (called, true));
    let (function, timeout) = called.split_once('~').map_or((called, None), |(name, rest)| (name, Some(seconds(rest))));
    Some(("call", Act::Invoke { function: function.to_owned(), seconds: timeout, is_caught }))
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::program::Saves;
    use super::*;

    fn parsed(text: &str) -> Program {
        Program::parse(text, Sdk { version: 2, saves: Saves::Never, says_final: false })
    }

    #[test]
    fn names_that_are_used_again_get_an_index() {
        let ids: Vec<String> = parsed("a*3 b ~1 ~2").members().map(|member| member.id.clone()).collect();
        assert_eq!(ids, ["a", "a:1", "a:2", "b", "nap", "nap:1"]);
    }

    #[test]
    fn every_short_form_reads_as_documented() {
        let program = parsed("a!2 b! c!! d? e?? f%90 g^child h;3 .!4");
        let steps: Vec<_> = program
            .members()
            .map(|member| match &member.act {
                Act::Step(step) => (step.throws, step.is_caught, step.takes_ms),
                _ => unreachable!(),
            })
            .collect();
        let throws = [Throws::Times(2), Throws::Always, Throws::AtOnce, Throws::Always, Throws::AtOnce];
        assert!(steps.iter().zip(throws).all(|(step, throws)| step.0 == throws));
        assert_eq!(steps[3..5].iter().map(|step| step.1).collect::<Vec<_>>(), [true, true]);
        assert_eq!(steps[5].2, 90_000);
        assert_eq!(program.end, End::Throws(4));
        let pauses: Vec<String> = parsed("@5 @=6 #7 #=8 &g &g~9?").members().map(|member| member.id.clone()).collect();
        assert_eq!(pauses, ["wait", "wait:1", "hear", "hear:1", "call", "call:1"]);
        let invokes = parsed("&g~9?");
        let act = &invokes.members().next().unwrap().act;
        assert!(matches!(act, Act::Invoke { function, seconds: Some(9), is_caught: true } if function == "g"));
        let limited = parsed("=2 =k3 =r4 _5,6 a").flow;
        assert_eq!((limited.calls, limited.calls_of_one, limited.runs), (Some(2), Some(3), Some(4)));
        assert_eq!((limited.throttle, parsed("=e7").flow.calls_of_all), (Some((5, 6)), Some(7)));
        let before = ["[3,5", "{5", "(2", "1skip", "1cancel"].map(|text| parsed(text).flow.before.unwrap());
        let expected = [
            Before::Batch(3, 5),
            Before::Debounce(5),
            Before::RateLimit(2),
            Before::Singleton(false),
            Before::Singleton(true),
        ];
        assert_eq!(before, expected);
        let asking = parsed("\" \"2");
        let acts: Vec<_> = asking.members().map(|member| (member.id.as_str(), &member.act)).collect();
        assert!(matches!(acts[..], [("ask", Act::Infer { refuses: 0 }), ("ask:1", Act::Infer { refuses: 2 })]));
        let deferring = parsed("+ +g +h% +!");
        let members: Vec<_> = deferring.members().map(|member| (member.id.as_str(), &member.act)).collect();
        assert!(deferring.is_deferred);
        assert!(matches!(members[0], ("defer", Act::Defer { function, thinks: false }) if function == "g"));
        assert!(matches!(members[1], ("defer:1", Act::Defer { function, thinks: true }) if function == "h"));
        assert!(matches!(members[2], ("defer:1:abort", Act::TakeBack { of }) if of == "defer:1"));
        let bounded = parsed("-=stop <5 <<6 a");
        assert_eq!((bounded.timeouts.finish_s, bounded.timeouts.start_s), (Some(5), Some(6)));
        assert_eq!(bounded.cancel_on[0].condition, Some(Condition::Same));
        assert!(matches!(&parsed("a|b>c|~1").stages[..], [Stage::Parallel(chains)] if chains.len() == 3));
        assert!(matches!(&parsed("a/b/~5").stages[..], [Stage::Race(members)] if members.len() == 3));
    }
}
