//! Schedules against what others make of them, and against anything at all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test that goes wrong should panic where it does"
)]
#![allow(clippy::arithmetic_side_effects, reason = "numbers of a test")]

use proptest::prelude::*;
use stepwell_engine::cron::Schedule;
use stepwell_engine::duration::parse_date;
use stepwell_engine::ids::Millis;

/// 2026-11-22T04:11:00Z.
const MOMENT: Millis = Millis(1_795_320_660_000);

fn at(text: &str) -> Millis {
    parse_date(text).unwrap_or_else(|| panic!("{text} is no date"))
}

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text).unwrap_or_else(|fault| panic!("{fault}"))
}

/// The next `count` times.
fn next(schedule: &Schedule, after: Millis, count: usize) -> Vec<String> {
    let first = schedule.next_after(after);
    let times = std::iter::successors(first, |time| schedule.next_after(*time)).take(count);
    times.map(|time| time.rfc3339().replace(".000Z", "Z")).collect()
}

/// `vectors.tsv` says how it was made.
#[test]
fn schedules_come_due_when_others_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("vectors.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [text, after, expected] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let expected: Vec<&str> = expected.split(' ').collect();
        let found = next(&schedule(text), at(after), expected.len());
        count += 1;
        if found != expected {
            wrong.push(format!("{text} after {after}\n  wanted {expected:?}\n  got    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 1_000);
}

#[test]
fn days_of_the_month_and_of_the_week_count_either_unless_one_is_any() {
    // 2026-11-22 is a Sunday.
    for (text, expected) in [
        ("0 0 13 * FRI", "2026-11-27"),
        ("0 0 1 * *", "2026-12-01"),
        ("0 0 * * WED", "2026-11-25"),
        ("0 0 */1 * WED", "2026-11-25"),
        ("0 0 */40 * WED", "2026-11-25"),
        // Every day, written out: a list, so that either counts.
        ("0 0 1-31 * WED", "2026-11-23"),
        ("0 0 5 * 0-6", "2026-11-23"),
        ("0 0 */2 * WED", "2026-11-23"),
        ("0 0 ? * WED", "2026-11-25"),
        ("0 0 * * 7", "2026-11-29"),
        ("0 0 * * FRI-SUN", "2026-11-27"),
    ] {
        assert_eq!(next(&schedule(text), MOMENT, 1), [format!("{expected}T00:00:00Z")], "{text}");
    }
}

/// Written out for people: the vectors have the same, in many more places.
#[test]
fn changes_of_the_clocks_neither_double_nor_lose_what_is_fixed() {
    let new_york =
        |fields: &str, after: &str, count| next(&schedule(&format!("TZ=America/New_York {fields}")), at(after), count);
    // 2027-03-14: after 01:59 EST comes 03:00 EDT.
    assert_eq!(new_york("30 2 * * *", "2027-03-14T00:00:00Z", 2), ["2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"]);
    assert_eq!(new_york("30 * * * *", "2027-03-14T06:00:00Z", 2), ["2027-03-14T06:30:00Z", "2027-03-14T07:30:00Z"]);
    // 2027-11-07: after 01:59 EDT comes 01:00 EST.
    assert_eq!(new_york("30 1 * * *", "2027-11-07T00:00:00Z", 2), ["2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z"]);
    let hourly = ["2027-11-07T04:30:00Z", "2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z", "2027-11-07T07:30:00Z"];
    assert_eq!(new_york("30 * * * *", "2027-11-07T04:00:00Z", 4), hourly);
}

#[test]
fn zones_are_those_of_the_iana_database() {
    for zone in
        ["UTC", "Etc/UTC", "Europe/Berlin", "US/Pacific", "Asia/Calcutta", "EST5EDT", "America/Argentina/Buenos_Aires"]
    {
        schedule(&format!("TZ={zone} * * * * *"));
        schedule(&format!("CRON_TZ={zone} * * * * *"));
    }
    for zone in ["", "Local", "Europe/Atlantis", "europe/berlin", "+02:00", "CEST"] {
        let fault = Schedule::parse(&format!("TZ={zone} * * * * *")).unwrap_err();
        assert!(fault.contains("time zone"), "{fault}");
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    for text in [
        "",
        " ",
        "* * * *",
        "* * * * * *",
        "* * * * * * *",
        "@daily",
        "@every 5m",
        "TZ=UTC @hourly",
        "TZ=UTC",
        "* * * * * TZ=UTC",
        "tz=UTC * * * * *",
        "0 0 L * *",
        "0 0 * * 5#2",
        "61 * * * *",
        "a b c d e",
        "＊ * * * *",
    ] {
        assert!(Schedule::parse(text).is_err(), "{text}");
    }
    let of_length = |length: usize| format!("{}1 * * * *", "1,".repeat((length - 9) / 2));
    assert!(Schedule::parse(&of_length(255)).is_ok());
    assert!(Schedule::parse(&of_length(257)).is_err());
}

#[test]
fn what_never_comes_due_says_so() {
    for text in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31 4-6/2 *", "0 0 30,31 2 ?"] {
        assert_eq!(schedule(text).next_after(MOMENT), None, "{text}");
        assert_eq!(schedule(text).last_within(Millis(0), MOMENT), None, "{text}");
    }
    for (text, expected) in [
        ("0 0 31 */2 *", "2027-01-31"),
        ("0 0 31 2,12 *", "2026-12-31"),
        ("0 0 28/2 2 *", "2027-02-28"),
        // The other field of the day may be.
        ("0 0 30 2 MON", "2027-02-01"),
    ] {
        assert_eq!(next(&schedule(text), MOMENT, 1), [format!("{expected}T00:00:00Z")], "{text}");
    }
    // A leap day over a turn of the century takes eight years.
    assert_eq!(next(&schedule("0 0 29 2 *"), at("2096-03-01T00:00:00Z"), 1), ["2104-02-29T00:00:00Z"]);
}

#[test]
fn any_moment_may_be_asked_about() {
    for moment in [0, 1, u64::MAX, 9_223_372_036_854_775_807, 253_402_300_799_999, 8_210_266_876_799_999] {
        let _ = schedule("* * * * *").next_after(Millis(moment));
        let _ = schedule("TZ=Europe/Berlin 30 2 * * *").next_after(Millis(moment));
        let _ = schedule("0 0 29 2 *").last_within(Millis(0), Millis(moment));
    }
}

fn item(low: u8, high: u8) -> impl Strategy<Value = String> {
    let value = low..=high;
    prop_oneof![
        Just("*".to_owned()),
        value.clone().prop_map(|value| value.to_string()),
        (value.clone(), value.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        (value.clone(), 1..20_u8).prop_map(|(value, step)| format!("{value}/{step}")),
        (1..90_u8).prop_map(|step| format!("*/{step}")),
        (value.clone(), value, 1..20_u8).prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ]
}

fn field(low: u8, high: u8) -> impl Strategy<Value = String> {
    prop::collection::vec(item(low, high), 1..4).prop_map(|items| items.join(","))
}

fn any_schedule() -> impl Strategy<Value = String> {
    let zone = prop::sample::select(vec![
        "",
        "TZ=Europe/Berlin ",
        "CRON_TZ=America/New_York ",
        "TZ=Australia/Lord_Howe ",
        "TZ=Pacific/Apia ",
    ]);
    (zone, field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
        .prop_map(|(zone, minute, hour, day, month, weekday)| format!("{zone}{minute} {hour} {day} {month} {weekday}"))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}|(TZ=[A-Z/a-z_]{0,12} )?([0-9*/,?LW#A-Za-z+-]{0,6} ){4,5}[0-9*/,-]{0,4}", moment in 0..4_102_444_800_000_u64) {
        if let Ok(schedule) = Schedule::parse(&text) {
            let _ = schedule.next_after(Millis(moment));
        }
    }

    /// The next time is later, is a whole minute, and between it and the moment there is none.
    #[test]
    fn the_next_time_is_the_next(text in any_schedule(), moment in 946_684_800_000..4_102_444_800_000_u64, part in 0.0..1.0_f64) {
        let schedule = schedule(&text);
        let moment = Millis(moment);
        if let Some(next) = schedule.next_after(moment) {
            prop_assert!(next > moment);
            prop_assert_eq!(next.0 % 60_000, 0);
            #[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a part of a span")]
            let between = Millis(moment.0 + ((next.0 - moment.0 - 1) as f64 * part) as u64);
            prop_assert_eq!(schedule.next_after(between), Some(next));
        }
    }

    /// The last time within a span is the one that walking comes to.
    #[test]
    fn the_last_time_is_the_last(text in any_schedule(), moment in 946_684_800_000..4_102_444_800_000_u64, span in 0..200_000_000_u64) {
        let schedule = schedule(&text);
        let (after, until) = (Millis(moment), Millis(moment + span));
        let walked = std::iter::successors(schedule.next_after(after), |time| schedule.next_after(*time)).take_while(|time| *time <= until).last();
        prop_assert_eq!(schedule.last_within(after, until), walked);
    }
}
