//! SERVER §1.10, as tables.

use super::*;
use crate::limits::{EXPRESSION_BYTES_MAX, EXPRESSION_STEPS_MAX};

const NOW: Millis = Millis(1_700_000_000_000); // 2023-11-14T22:13:20Z

const EVENT: &str = r#"{"name":"shop/order.paid","id":"evt-1","ts":1700000000000,"user":{},"v":"1","meta":{"sessions":{"a":"1"}},"data":{
    "s":"abc","empty":"","n":5,"zero":0,"half":9.5,"yes":true,"no":false,"nil":null,"text200":"200",
    "list":[1,2,3],"words":["a","b"],"people":[{"id":1,"ok":true},{"id":2}],"none":[],
    "map":{"name":"inngest","n":1},"day":"2023-11-14","at":"2023-11-14T12:00:00Z","esc":"a\"b\u0041",
    "json":"{\"a\":{\"b\":[1]}}","b64":"aGVsbG8=","path":"C:\\d","email":"jo@example.com","function":"f","big":1e300}}"#;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

/// The value as people would read it: `string abc`, `double 5`.
fn value_of(source: &str, scope: Scope) -> String {
    let event = raw(EVENT);
    let incoming = raw(r#"{"name":"in","data":{"s":"abc","n":5}}"#);
    let bindings = Bindings { event: &event, incoming: Some(&incoming), now: NOW };
    match Expression::compile(source, scope) {
        Err(error) => format!("does not compile: {error}"),
        Ok(expression) => match expression.evaluate(&bindings) {
            Err(error) => format!("error: {error}"),
            Ok(value) => {
                let mut evaluator = Evaluator::new(bindings, scope, 0);
                format!("{} {}", value.kind(), format::text(&mut evaluator, &value).expect("cheap"))
            }
        },
    }
}

#[track_caller]
fn table(cases: &[(&str, &str)]) {
    table_in(Scope::Trigger, cases);
}

#[track_caller]
fn table_in(scope: Scope, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(source, expected)| {
            let value = value_of(source, scope);
            (value != *expected).then(|| format!("{source} is {value}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[track_caller]
fn hold(sources: &[&str]) {
    table(&sources.iter().map(|source| (*source, "bool true")).collect::<Vec<_>>());
}

#[track_caller]
fn do_not_hold(sources: &[&str]) {
    table(&sources.iter().map(|source| (*source, "bool false")).collect::<Vec<_>>());
}

#[test]
fn the_fields_of_an_event_are_there() {
    table(&[
        ("event.name", "string shop/order.paid"),
        ("event.id", "string evt-1"),
        ("event.ts", "double 1700000000000"),
        ("event.v", "string 1"),
        ("event.data.s", "string abc"),
        ("event.data['s']", "string abc"),
        ("event.data.list[0]", "double 1"),
        ("event.data.list[event.data.zero]", "double 1"),
        ("event.data.people[1].id", "double 2"),
        ("event.data.map", "map map[n:1 name:inngest]"),
        ("event.data.esc", "string a\"bA"),
        ("event.data.function", "string f"),
        ("event.data.big", "double 1e+300"),
    ]);
}

#[test]
fn missing_equals_null_and_nothing_else() {
    hold(&[
        "event.data.x == null",
        "null == event.data.x",
        "event.data.x != 'a'",
        "event.data.x != 1",
        "event.data.x != event.data.y",
        "event.data.x.y.z == null",
        "event.data.s.below == null",
        "event.data.nil.below == null",
        "event.data.list[3] == null",
        "event.data.list[-1] == null",
        "event.data['x'] == null",
    ]);
    do_not_hold(&[
        "event.data.x == 'a'",
        "event.data.x == false",
        "event.data.x == 0",
        "event.data.x == event.data.y",
        "event.data.x != null",
        "null != event.data.x",
        "event.data.x",
        "event.data.s[0]",
    ]);
}

#[test]
fn a_missing_left_side_is_less_than_all() {
    hold(&["event.data.x < 1", "event.data.x <= 1", "event.data.x < 'a'", "1 > event.data.x", "1 >= event.data.x"]);
    do_not_hold(&["event.data.x > 1", "event.data.x >= 1", "1 < event.data.x", "1 <= event.data.x"]);
    // Both: the left side decides.
    hold(&["event.data.x < event.data.y", "event.data.x <= event.data.y"]);
    do_not_hold(&["event.data.x > event.data.y", "event.data.x >= event.data.y"]);
}

#[test]
fn missing_operands_of_the_other_operators() {
    table(&[
        ("event.data.x + 'a'", "string a"),
        ("'a' + event.data.x", "string a"),
        ("1 + event.data.x", "int 1"),
        ("event.data.x + event.data.y", "bool false"),
        ("event.data.x - 1", "bool false"),
        ("-event.data.x", "bool false"),
        ("size(event.data.x)", "int 0"),
        ("event.data.x.size()", "int 0"),
        ("size(event.data.x) == 0", "bool true"),
        ("lowercase(event.data.x)", "bool false"),
        ("int(event.data.x)", "bool false"),
        ("event.data.x.contains('a')", "bool false"),
        ("'abc'.contains(event.data.x)", "bool false"),
        ("event.data.x.matches('a')", "bool false"),
        ("event.data.x in [1]", "bool false"),
        ("event.data.x in [null]", "bool false"),
        ("1 in event.data.x", "bool false"),
        ("event.data.x.exists(y, true)", "bool false"),
        ("event.data.x.all(y, true)", "bool false"),
        ("event.data.x.map(y, y)", "bool false"),
        ("event.data.x ? 1 : 2", "int 2"),
        ("date(event.data.x)", "bool false"),
    ]);
}

#[test]
fn not_knows_booleans_only() {
    do_not_hold(&["!event.data.x", "!event.data.yes"]);
    hold(&["!event.data.no", "!(event.data.x == 1)", "!(event.data.x > 1)", "!has(event.data.x)"]);
    table(&[
        ("!event.data.nil", "error: `!` cannot be applied to null_type"),
        ("!event.data.s", "error: `!` cannot be applied to string"),
        ("!event.data.n", "error: `!` cannot be applied to double"),
    ]);
}

#[test]
fn null_is_the_zero_of_what_it_is_ordered_with() {
    hold(&[
        "event.data.nil == null",
        "event.data.nil != 0",
        "event.data.nil != 'a'",
        "event.data.nil >= 0",
        "event.data.nil < 1",
        "event.data.nil < 1u",
        "event.data.nil < 0.5",
        "event.data.nil < 'a'",
        "event.data.nil <= ''",
        "0 <= event.data.nil",
        "has(event.data.nil)",
    ]);
    do_not_hold(&[
        "event.data.nil > 0",
        "event.data.nil == 0",
        "event.data.nil == ''",
        "event.data.nil == false",
        "event.data.nil != null",
        "event.data.nil < 0",
        "event.data.nil + 1",
        "'a' + event.data.nil",
        "event.data.nil < event.data.nil",
        "event.data.nil == true",
    ]);
}

#[test]
fn numbers_compare_across_types_and_with_nothing_else() {
    hold(&[
        "event.data.n == 5",
        "event.data.n == 5u",
        "5 == event.data.n",
        "event.data.n > 4",
        "event.data.n < 5.5",
        "5u >= event.data.n",
        "event.data.half > 9",
        "1 < 2u",
        "-1 < 0u",
        "event.data.n in [4, 5]",
        "2 in event.data.list",
        "event.data.list == [1, 2, 3]",
        "[1, 2, 3] == event.data.list",
        "event.data.map == {'name': 'inngest', 'n': 1}",
        "9007199254740993 > 9007199254740992.0",
        "9223372036854775807 < event.data.big",
        "event.data.text200 != 200",
        "int(event.data.text200) == 200",
        "'b' in event.data.words",
        "'name' in event.data.map",
    ]);
    do_not_hold(&[
        "'200' == 200",
        "event.data.text200 == 200",
        "event.data.text200 > 100",
        "event.data.text200 < 100",
        "event.data.s == 1",
        "event.data.yes == 'true'",
        "event.data.yes == 1",
        "event.data.list == [1, 2]",
        "event.data.list == [1, 2, 4]",
        "event.data.map == {'name': 'inngest'}",
        "event.data.map == event.data.list",
        "9007199254740993 == 9007199254740992.0",
        "event.data.big == 9223372036854775807",
        "0.0 / 0.0 == 0.0 / 0.0",
        "'z' in event.data.words",
        "'x' in event.data.map",
        "'a' in 'abc'",
    ]);
}

#[test]
fn arithmetic_does_not_mix_types() {
    table(&[
        ("event.data.n + 1 == 6", "bool false"),
        ("event.data.n * 2", "bool false"),
        ("event.data.n % 2", "bool false"),
        ("event.data.n / 2", "bool false"),
        ("event.data.n + 1.0", "double 6"),
        ("int(event.data.n) + 1", "int 6"),
        ("int(event.data.n) % 2", "int 1"),
        ("event.data.list.map(x, x * 2)", "list [false false false]"),
        ("event.data.list.map(x, x * 2.0)", "list [2 4 6]"),
        ("9223372036854775807 + 1", "bool false"),
        ("1 / 0", "bool false"),
        ("1 % 0", "bool false"),
        ("-9223372036854775808 - 1", "bool false"),
        ("-9223372036854775808 / -1", "bool false"),
        ("1u - 2u", "bool false"),
        ("7 / 2", "int 3"),
        ("[1] + [2]", "list [1 2]"),
        ("event.data.words + ['c']", "list [a b c]"),
    ]);
}

#[test]
fn text_joins_with_anything() {
    table(&[
        ("'n ' + 9.1", "string n 9.1"),
        ("'n ' + event.data.n", "string n 5"),
        ("event.data.n + ' n'", "string 5 n"),
        ("'n ' + 1234567.0", "string n 1234567"),
        ("'n ' + event.ts", "string n 1700000000000"),
        ("'b ' + true", "string b true"),
        ("'l ' + [3, 'ok?', true]", "string l [3 ok? true]"),
        ("'m ' + {'name': 'inngest'}", "string m map[name:inngest]"),
        ("'m ' + event.data.map", "string m map[n:1 name:inngest]"),
        ("'p ' + event.data.people", "string p [map[id:1 ok:true] map[id:2]]"),
        ("'d ' + 100000000000000000000.0", "string d 100000000000000000000"),
        ("'d ' + 1e21", "string d 1e+21"),
        ("'d ' + 0.0000001", "string d 1e-07"),
        ("event.data.s + '-' + event.data.x", "string abc-"),
        ("event.data.s + event.data.nil", "bool false"),
    ]);
}

#[test]
fn or_and_and_give_operands_as_in_javascript() {
    table(&[
        ("event.data.x || event.data.s", "string abc"),
        ("event.data.s || event.data.x", "string abc"),
        ("event.data.x || event.data.y", "bool false"),
        ("event.data.empty || 'default'", "string default"),
        ("event.data.zero || 7", "int 7"),
        ("event.data.nil || 7", "int 7"),
        ("event.data.none || 7", "list []"),
        ("event.data.s && event.data.n", "double 5"),
        ("event.data.empty && true", "string "),
        ("event.data.x && true", "bool false"),
        ("true && event.data.x", "bool false"),
        ("!event.data.nil || true", "bool true"),
        ("true || !event.data.nil", "bool true"),
        ("!event.data.nil && false", "bool false"),
        ("!event.data.nil || false", "error: `!` cannot be applied to null_type"),
        ("event.data.s ? 'y' : 'n'", "string y"),
        ("event.data.empty ? 'y' : 'n'", "string n"),
        ("event.data.none ? 'y' : 'n'", "string y"),
        ("event.data.yes && event.data.n == 5 || event.data.no", "bool true"),
        ("event.data.no || event.data.yes && event.data.no", "bool false"),
    ]);
}

#[test]
fn a_wait_sees_both_events_and_takes_what_its_own_lacks_for_null() {
    table_in(
        Scope::Wait,
        &[
            ("async.data.n", "double 5"),
            ("event.data.s == async.data.s && event.data.n == async.data.n", "bool true"),
            ("event.data.n != async.data.n", "bool false"),
            ("event.data.x == async.data.x", "bool true"),
            ("event.data.x == async.data.s", "bool false"),
            ("event.data.s == async.data.x", "bool false"),
            ("async.data.x == async.data.y", "bool false"),
            ("has(event.data.x) || has(async.data.x)", "bool false"),
            ("async.data.list.exists(x, x == event.data.n)", "bool false"),
        ],
    );
}

#[test]
fn macros_go_through_lists_and_keys() {
    hold(&[
        "event.data.list.exists(x, x == 2)",
        "event.data.list.all(x, x > 0)",
        "event.data.none.all(x, false)",
        "event.data.list.exists_one(x, x > 2)",
        "event.data.people.exists(p, p.ok)",
        "event.data.people.exists(p, p.id == event.data.n || p.id == 2)",
        "event.data.map.exists(k, k == 'name')",
        "event.data.list.filter(x, x > 1) == [2, 3]",
        "event.data.people.map(p, p.id) == [1, 2]",
        "event.data.list.map(x, x > 1, x + 1.0) == [3, 4]",
        "event.data.list.exists(x, event.data.words.exists(y, y == 'b' && x == 3))",
        "event.data.list.all(x, event.data.list.exists(x, x == 3) && x > 0)",
        "size(event.data.list.filter(x, x > 1)) == 2",
    ]);
    do_not_hold(&[
        "event.data.list.exists(x, x == 9)",
        "event.data.list.exists_one(x, x > 1)",
        "event.data.people.all(p, p.ok)",
        "event.data.s.exists(x, true)",
        "event.data.n.all(x, true)",
    ]);
}

#[test]
fn standard_functions() {
    hold(&[
        "event.data.s.startsWith('ab') && event.data.s.endsWith('bc') && event.data.s.contains('b')",
        "size('aé') == 2 && 'aé'.size() == 2 && size(event.data.list) == 3 && size(event.data.map) == 2",
        "string(9.5) == '9.5' && string(1) == '1' && string(true) == 'true'",
        "double('1.5') == 1.5 && uint('3') == 3u && int(2.9) == 2 && int(-2.9) == -2",
        "bool('true') && bytes('a') == b'a' && string(b'a') == 'a'",
        "type(event.data.n) == double && type('') == string && type(event.data.list) == list",
        "has(event.data.s) && !has(event.data.x) && !has(event.data.x.y)",
        "timestamp('2023-11-14T12:00:00Z').getFullYear() == 2023",
        "timestamp('2023-11-14T12:00:00Z').getMonth() == 10",
        "timestamp('2023-11-14T12:00:00Z').getDayOfWeek() == 2",
        "timestamp('2023-11-14T23:30:00Z').getDate('+02:00') == 15",
        "timestamp('2023-11-14T23:30:00Z').getHours('Europe/Berlin') == 0",
        "timestamp('2023-07-14T23:30:00Z').getHours('Europe/Berlin') == 1",
        "timestamp('2023-11-15T03:30:00Z').getDate('America/New_York') == 14",
        "timestamp('2023-11-14T23:30:00Z').getHours('UTC') == 23",
        "duration('90m').getHours() == 1",
        "timestamp('2023-11-14T12:00:00Z') + duration('1h') == timestamp('2023-11-14T13:00:00Z')",
        "timestamp('2023-11-14T12:00:00Z') - timestamp('2023-11-14T11:00:00Z') == duration('60m')",
        "event.meta.sessions.a == '1' && event.v == '1'",
        "event.data['s'] == 'abc' && {'a': 1}['a'] == 1 && {'a': 1}.a == 1 && [1, 2][1] == 2",
    ]);
    do_not_hold(&["int('x')", "double('x')", "uint(-1)", "bool('maybe')", "timestamp('yesterday')", "int(1e300)"]);
}

#[test]
fn functions_of_this_dialect() {
    hold(&[
        "lowercase('AbC') == 'abc' && uppercase(event.data.s) == 'ABC'",
        "b64decode(event.data.b64) == 'hello'",
        "b64decode('aGVsbG8*!!') == 'hel' && b64decode('aGVsbG8') == 'hel'",
        "json_parse(event.data.json).a.b[0] == 1",
        "json_parse('[1]') == {} && json_parse('nonsense') == {}",
        "date(event.data.day) < date(event.data.at)",
        "date('2023-11-14T12:00:00') == timestamp('2023-11-14T12:00:00Z')",
        "date('Tue, 14 Nov 2023 12:00:00 GMT') == timestamp('2023-11-14T12:00:00Z')",
        "date(event.ts) == now()",
        "date(1700000000) == now() && date(1700000000000000000) == now()",
        "now() == timestamp('2023-11-14T22:13:20Z')",
        "now_plus('24h') == now() + duration('24h') && now_plus('1d2h') == now() + duration('26h')",
        "now_minus('90m') < now()",
        "date(event.data.at) > now_minus('24h')",
    ]);
    do_not_hold(&["date(1000)", "date('soon')", "now_plus('never')", "lowercase(1)"]);
}

#[test]
fn dates_are_read_in_each_form_that_is_known() {
    let noon = "timestamp('2023-11-14T12:00:00Z')";
    for text in [
        "2023-11-14T12:00:00Z",
        "2023-11-14T13:00:00+01:00",
        "2023-11-14T12:00:00",
        "Tue, 14 Nov 2023 12:00:00 GMT",
        "Tue, 14 Nov 2023 12:00:00 +0000",
        "14 Nov 23 12:00 UTC",
        "14 Nov 23 13:00 +0100",
        "Tuesday, 14-Nov-23 12:00:00 UTC",
        "Tue Nov 14 12:00:00 +0000 2023",
        "Tue Nov 14 12:00:00 UTC 2023",
        "Tue Nov 14 12:00:00 2023",
        "11/14 12:00:00PM '23 +0000",
    ] {
        hold(&[&format!("date(\"{text}\") == {noon}")]);
    }
    hold(&[
        "date('2023-11-14') == timestamp('2023-11-14T00:00:00Z')",
        "date('Nov 14 12:00:00').getMonth() == 10 && date('Nov 14 12:00:00').getHours() == 12",
        "date('Nov  4 12:00:00.5').getDate() == 4",
        "date(946684800) == timestamp('2000-01-01T00:00:00Z')",
        "date(946684800000) == date(946684800) && date(946684800000000000) == date(946684800)",
    ]);
    do_not_hold(&["date(946684799)", "date('14.11.2023')", "date('12:00')", "date(-1)", "date('')", "date(true)"]);
}

#[test]
fn regular_expressions_take_single_and_double_backslashes() {
    hold(&[
        r"event.data.email.matches('^\w+@\w+\.com$')",
        r"event.data.email.matches('^\\w+@\\w+\\.com$')",
        r#"event.data.email.matches("^\w+@")"#,
        r"event.data.email.matches(r'^\w+@')",
        r"matches(event.data.email, 'example')",
        r"'a foo b'.matches('\bfoo\b')",
        r"event.data.path == 'C:\\d'",
        r"event.data.text200.matches('^\d{3}$')",
        r"'x'.matches('^' + event.data.x + 'x')",
    ]);
    do_not_hold(&[r"event.data.s.matches('^\d+$')", r"'afoob'.matches('\bfoo\b')", r"'a'.matches('(' + '')"]);
}

#[test]
fn what_is_not_an_expression_is_refused_with_a_reason() {
    let cases = [
        ("", "empty"),
        ("   ", "empty"),
        ("event.data. ==", "line 1"),
        ("event.data.x = 1", ""),
        ("foo == 1", "`foo` is not a variable"),
        ("data.x == 1", "`data` is not a variable"),
        ("async.data.x == 1", "`async` is known only"),
        ("vars.a == 1", "`vars` is not a variable"),
        ("nope(event.data.x)", "there is no function `nope`"),
        ("event.data.x.split(',')", "there is no function `split`"),
        ("event.data.x.upperAscii()", "there is no function `upperAscii`"),
        ("size()", "does not take 0 arguments"),
        ("event.data.x.contains()", "does not take 0 arguments"),
        ("has(event)", "has()"),
        ("event.data.s.matches('(')", "not a regular expression"),
        ("event.data.s.matches('(a{1000}){1000}')", "not a regular expression"),
        ("'unterminated", "unterminated"),
        ("Point{x: 1}.x == 1", ""),
        ("1 ==", "line 1"),
        ("event.data.list.map(event.x, true)", "simple name"),
        ("event.?data", "unsupported"),
    ];
    for (source, reason) in cases {
        let message = check(source, Scope::Trigger).expect_err(source);
        assert!(message.contains(reason), "{source}: {message}");
    }
}

#[test]
fn a_filter_that_is_not_boolean_is_an_error() {
    let event = raw(EVENT);
    let bindings = Bindings { event: &event, incoming: None, now: NOW };
    let cases = [
        ("event.data.s", Err("the expression gave string (abc) where true or false is needed")),
        ("event.data.s && event.data.n", Err("the expression gave double (5) where true or false is needed")),
        ("event.data.nil", Err("the expression gave null_type (<nil>) where true or false is needed")),
        ("event.data.yes", Ok(true)),
        ("event.data.x", Ok(false)),
    ];
    for (source, expected) in cases {
        let expression = Expression::compile(source, Scope::Trigger).expect("compiles");
        let answer = expression.holds(&bindings).map_err(|error| error.to_string());
        assert_eq!(answer, expected.map_err(ToOwned::to_owned), "{source}");
    }
}

fn steps(source: &str, event: &str) -> u64 {
    let event = raw(event);
    let expression = Expression::compile(source, Scope::Trigger).expect("compiles");
    let (result, steps) = expression.measured(&Bindings { event: &event, incoming: None, now: NOW });
    result.expect("cheap enough");
    steps
}

#[test]
fn what_an_expression_does_not_touch_is_skimmed_not_decoded() {
    let sibling = format!("[{}1]", "1,".repeat(100_000));
    let event = format!(r#"{{"name":"a","data":{{"huge":{sibling},"kind":"x"}}}}"#);
    // One walk over 200 KB of text at 256 bytes a step; decoding the sibling would take 100,000.
    let skimmed = steps("event.data.kind == 'x'", &event);
    assert!(skimmed < 850, "{skimmed} steps");
    // The same path again is not walked again.
    assert!(steps("event.data.kind == 'x' && event.data.kind != 'y'", &event) < skimmed + 8);
    assert!(steps("event.name == 'a'", &event) < 8);
    assert!(steps("size(event.data.huge) == 100001", &event) < 2_600);
}

#[test]
fn evaluation_stops_at_its_limit() {
    let event = raw(&format!(r#"{{"data":{{"l":[{}1]}}}}"#, "1,".repeat(2_000)));
    let bindings = Bindings { event: &event, incoming: None, now: NOW };
    let evaluate = |source: &str| {
        let expression = Expression::compile(source, Scope::Trigger).expect("compiles");
        let (result, steps) = expression.measured(&bindings);
        assert!(steps < EXPRESSION_STEPS_MAX * 2, "{steps}");
        result.map(|value| value.kind())
    };
    let cubed = "event.data.l.exists(a, event.data.l.exists(b, event.data.l.exists(c, a + b + c == 0.0)))";
    assert_eq!(evaluate(cubed), Err(EvaluationError::TooCostly));
    // An error under `||` counts as false, this one does not.
    assert_eq!(evaluate(&format!("{cubed} || true")), Err(EvaluationError::TooCostly));
    assert_eq!(
        evaluate("event.data.l.exists(a, event.data.l == event.data.l && a == 0.0)"),
        Err(EvaluationError::TooCostly)
    );
    assert_eq!(evaluate("event.data.l.exists(a, a == 0.0)"), Ok("bool"));
}

#[test]
fn data_that_is_nested_beyond_the_limit_is_an_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let event = raw(&format!(r#"{{"data":{{"a":{deep},"b":{deep}}}}}"#));
    let bindings = Bindings { event: &event, incoming: None, now: NOW };
    for source in ["event.data.a == event.data.b", "'a' + event.data.a == ''"] {
        let expression = Expression::compile(source, Scope::Trigger).expect("compiles");
        assert_eq!(expression.holds(&bindings), Err(EvaluationError::TooCostly));
    }
}

#[test]
fn source_texts_are_bounded() {
    let padded = |length: usize| format!("{:<length$}", "event.data.x == 1");
    assert!(check(&padded(EXPRESSION_BYTES_MAX), Scope::Trigger).is_ok());
    assert!(check(&padded(EXPRESSION_BYTES_MAX + 1), Scope::Trigger).is_err());
    let hostile = [
        "(".repeat(8_000),
        format!("{}1{}", "(".repeat(8_000), ")".repeat(8_000)),
        "[".repeat(16_000),
        format!("event{}", ".a".repeat(8_000)),
        format!("event{}", "[0]".repeat(5_000)),
        format!("1{}", "+1".repeat(8_000)),
        format!("{}true", "!-".repeat(8_000)),
        format!("true{}", "?true:true".repeat(1_600)),
        format!("event{}", ".map(x,x)".repeat(1_800)),
        format!("event{}1{}", ".map(x,event".repeat(600), ")".repeat(600)),
        format!("1{}", "==1".repeat(5_000)),
        format!("{}1{}", "{1:".repeat(4_000), "}".repeat(4_000)),
        format!("{}1{}", "size(".repeat(2_500), ")".repeat(2_500)),
    ];
    for source in hostile {
        assert!(source.len() <= EXPRESSION_BYTES_MAX, "{}", source.len());
        assert!(check(&source, Scope::Trigger).is_err(), "{source:.60}");
    }
    // Long is not deep.
    let many = vec!["event.data.kind == \"something\""; 400].join(" || ");
    assert_eq!(check(&many, Scope::Trigger), Ok(()));
    assert_eq!(check(&format!("event.data.n in [{}1]", "1234567, ".repeat(1_500)), Scope::Trigger), Ok(()));
}

#[test]
fn each_bound_holds_at_the_limit_and_not_beyond() {
    use crate::limits::{
        EXPRESSION_BRACKETS_MAX, EXPRESSION_DEPTH_MAX, EXPRESSION_PARENTHESES_MAX, EXPRESSION_TERNARIES_MAX,
    };
    let ternaries = |n: usize| format!("{}true", "true ? true : ".repeat(n));
    let operators = |n: usize| format!("1{} == 1", " + 1".repeat(n - 1));
    let parentheses = |n: usize| vec!["(true)"; n].join(" && ");
    let brackets = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let bounds: [(&dyn Fn(usize) -> String, usize); 4] = [
        (&ternaries, EXPRESSION_TERNARIES_MAX),
        (&operators, EXPRESSION_DEPTH_MAX),
        (&parentheses, EXPRESSION_PARENTHESES_MAX),
        (&brackets, usize::from(EXPRESSION_BRACKETS_MAX)),
    ];
    for (source, limit) in bounds {
        assert_eq!(check(&source(limit), Scope::Trigger), Ok(()));
        assert!(check(&source(limit + 1), Scope::Trigger).is_err(), "{}", source(limit + 1));
    }
}
