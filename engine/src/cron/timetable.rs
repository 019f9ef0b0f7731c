//! A schedule with its delays: what has come due, what of it is started, and what comes next.

use super::message::Time;
use super::schedule::Schedule;
use crate::ids::{FunctionId, Millis, derived_random};
use crate::limits::{CRON_LATE_MAX, CRON_STARTS_PER_TURN_MAX, JITTER_MIN};
use crate::turn::CatchUp;

/// When one schedule of one function starts runs.
#[derive(Debug)]
pub(super) struct Timetable {
    schedule: Schedule,
    jitter: Option<Millis>,
    /// What the delay of a time is derived from, beside the time.
    name: String,
}

/// What is started now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// In the order of the schedule.
    pub(super) times: Vec<Time>,
    /// Until when this decides: before now, where there is more than one turn may start.
    pub(super) decided: Millis,
}

impl Timetable {
    /// The timetable of `schedule`, whose runs are delayed by up to `jitter`.
    ///
    /// # Errors
    /// Why that is no schedule, for people.
    pub(super) fn new(function: &FunctionId, schedule: &str, jitter: Option<Millis>) -> Result<Self, String> {
        Ok(Self { schedule: Schedule::parse(schedule)?, jitter, name: format!("{function}/{schedule}") })
    }

    /// What has come due since `decided`, as far as it is to be started.
    ///
    /// A time that is less than a minute late has not been missed: it is started. Of those that were missed, `catch_up` says which
    /// are: all of them; the newest, unless there is one on time; none.
    pub(super) fn due(&self, decided: Millis, now: Millis, catch_up: CatchUp) -> Due {
        if catch_up == CatchUp::All {
            return self.all_due(decided, now);
        }
        let nothing = Due { times: Vec::new(), decided: now };
        let Some(newest) = self.schedule.last_within(self.before(decided), now) else { return nothing };
        // Whatever was missed and is further back than this counts no longer: the newest is here.
        let from = self.before(decided).max(self.before(before(newest, CRON_LATE_MAX)));
        let here = self.times_after(from).take_while(|time| time.tick <= newest);
        let due = here.filter(|time| time.fire > decided && time.fire <= now);
        let (on_time, late): (Vec<_>, Vec<_>) = due.partition(|time| now.since(time.fire) < CRON_LATE_MAX);
        let missed = late.last().filter(|_| on_time.is_empty() && catch_up == CatchUp::Last);
        let times = missed.map_or(on_time, |missed| vec![*missed]);
        Due { times, decided: now }
    }

    fn all_due(&self, decided: Millis, now: Millis) -> Due {
        let mut due = Due { times: Vec::new(), decided: now };
        for time in self.times_after(self.before(decided)).take_while(|time| time.tick <= now) {
            if due.times.len() >= CRON_STARTS_PER_TURN_MAX {
                // Whatever is not here starts at this time or later.
                due.decided = before(time.tick, Millis(1));
                break;
            }
            if time.fire > decided && time.fire <= now {
                due.times.push(time);
            }
        }
        due.times.retain(|time| time.fire <= due.decided);
        due
    }

    /// The times that have come, have not been decided, and are delayed still.
    pub(super) fn waiting(&self, decided: Millis, now: Millis) -> Vec<Time> {
        let here = self.times_after(self.before(now)).take_while(|time| time.tick <= now);
        here.filter(|time| time.fire > decided).collect()
    }

    /// When the next run starts, later than `now`; `None`: never.
    pub(super) fn next_fire(&self, now: Millis) -> Option<Millis> {
        let mut next: Option<Millis> = None;
        for time in self.times_after(self.before(now)) {
            if next.is_some_and(|next| time.tick >= next) {
                break;
            }
            if time.fire > now {
                next = Some(next.map_or(time.fire, |next| next.min(time.fire)));
            }
        }
        next
    }

    /// The next times, as the schedule has them.
    pub(super) fn next(&self, now: Millis, count: usize) -> Vec<Time> {
        self.times_after(now).take(count).collect()
    }

    fn times_after(&self, after: Millis) -> impl Iterator<Item = Time> {
        let first = self.schedule.next_after(after);
        std::iter::successors(first, |tick| self.schedule.next_after(*tick)).map(|tick| self.time(tick))
    }

    fn time(&self, tick: Millis) -> Time {
        Time { tick, fire: tick.plus(self.delay(tick)) }
    }

    /// Between a second and the jitter; the same each time it is asked for (SERVER §1.7).
    fn delay(&self, tick: Millis) -> Millis {
        let Some(jitter) = self.jitter else { return Millis(0) };
        let span = u128::from(jitter.since(JITTER_MIN).0);
        let drawn = derived_random(&["jitter", &self.name, &tick.0.to_string()]).checked_rem(span).unwrap_or(0);
        JITTER_MIN.plus(Millis(u64::try_from(drawn).unwrap_or(0))).min(jitter)
    }

    /// Before this moment no time can be delayed until `moment`.
    fn before(&self, moment: Millis) -> Millis {
        before(moment, self.jitter.unwrap_or_default())
    }
}

fn before(moment: Millis, span: Millis) -> Millis {
    Millis(moment.0.saturating_sub(span.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-22T04:11:00Z.
    const TICK: Millis = Millis(1_795_320_660_000);
    const MINUTE: u64 = 60_000;

    fn table(schedule: &str, jitter: Option<u64>) -> Timetable {
        Timetable::new(&"app-f".into(), schedule, jitter.map(Millis)).unwrap()
    }

    fn ticks(due: &Due) -> Vec<u64> {
        due.times.iter().map(|time| time.tick.0).collect()
    }

    #[test]
    fn what_is_on_time_is_started_whatever_the_policy() {
        let every_minute = table("* * * * *", None);
        for catch_up in [CatchUp::None, CatchUp::Last, CatchUp::All] {
            let decided = Millis(TICK.0 - 1);
            assert_eq!(every_minute.due(decided, decided, catch_up), Due { times: Vec::new(), decided });
            for late in [0, 1, MINUTE - 1] {
                let now = TICK.plus(Millis(late));
                let due = every_minute.due(decided, now, catch_up);
                assert_eq!((ticks(&due), due.decided), (vec![TICK.0], now), "{late} {catch_up:?}");
            }
        }
    }

    #[test]
    fn what_was_missed_is_started_as_the_policy_says() {
        let hourly = table("11 * * * *", None);
        let hours = |count: u64| TICK.0 + count * 60 * MINUTE;
        let (decided, now) = (Millis(TICK.0 - 1), Millis(hours(3) + 30 * MINUTE));
        assert_eq!(ticks(&hourly.due(decided, now, CatchUp::None)), [0; 0]);
        assert_eq!(ticks(&hourly.due(decided, now, CatchUp::Last)), [hours(3)]);
        assert_eq!(ticks(&hourly.due(decided, now, CatchUp::All)), [hours(0), hours(1), hours(2), hours(3)]);
        // One that is on time stands for those before it.
        let now = Millis(hours(4) + 59_999);
        assert_eq!(ticks(&hourly.due(decided, now, CatchUp::None)), [hours(4)]);
        assert_eq!(ticks(&hourly.due(decided, now, CatchUp::Last)), [hours(4)]);
        assert_eq!(ticks(&hourly.due(decided, Millis(now.0 + 1), CatchUp::None)), [0; 0]);
        assert_eq!(ticks(&hourly.due(decided, Millis(now.0 + 1), CatchUp::Last)), [hours(4)]);
    }

    #[test]
    fn all_is_started_in_turns_that_are_bounded() {
        let every_minute = table("* * * * *", None);
        let now = TICK.plus(Millis(MINUTE * 250));
        let (mut decided, mut started) = (Millis(TICK.0 - 1), Vec::new());
        let mut turns = 0;
        while decided < now {
            let due = every_minute.due(decided, now, CatchUp::All);
            assert!(due.times.len() <= CRON_STARTS_PER_TURN_MAX && due.decided > decided);
            started.extend(ticks(&due));
            decided = due.decided;
            turns += 1;
        }
        assert_eq!(started, (0..=250).map(|minute| TICK.0 + minute * MINUTE).collect::<Vec<_>>());
        assert_eq!(turns, 3);
    }

    #[test]
    fn a_delay_is_between_a_second_and_the_jitter_and_always_the_same() {
        let (one, same) = (table("* * * * *", Some(300_000)), table("* * * * *", Some(300_000)));
        let times = one.next(TICK, 500);
        assert_eq!(times, same.next(TICK, 500));
        let delays: Vec<u64> = times.iter().map(|time| time.fire.0 - time.tick.0).collect();
        assert!(delays.iter().all(|delay| (1_000..300_000).contains(delay)));
        assert!(delays.iter().any(|delay| *delay < 60_000) && delays.iter().any(|delay| *delay > 240_000));
        assert!(table("* * * * *", Some(1_000)).next(TICK, 9).iter().all(|time| time.fire.0 - time.tick.0 == 1_000));
    }

    #[test]
    fn a_schedule_that_never_comes_due_wants_no_wake() {
        let never = table("0 0 30 2 *", None);
        assert_eq!((never.next_fire(TICK), never.next(TICK, 3)), (None, Vec::new()));
        assert_eq!(never.due(Millis(0), TICK, CatchUp::Last), Due { times: Vec::new(), decided: TICK });
    }

    proptest! {
        /// However often it is looked, every time is started once and none early, with and without delays.
        #[test]
        fn each_time_is_started_once(
            jitter in prop::option::of(1_000_u64..300_000),
            looks in prop::collection::vec(1_u64..59_000, 1..200),
            catch_up in prop::sample::select(vec![CatchUp::None, CatchUp::Last, CatchUp::All]),
        ) {
            let every_minute = table("* * * * *", jitter);
            let (mut now, mut decided, mut started) = (TICK, TICK, Vec::new());
            for look in looks {
                now = now.plus(Millis(look));
                let due = every_minute.due(decided, now, catch_up);
                prop_assert!(due.times.iter().all(|time| time.fire > decided && time.fire <= now));
                started.extend(due.times);
                decided = due.decided;
            }
            let expected: Vec<Time> =
                every_minute.times_after(every_minute.before(TICK)).take_while(|time| time.tick <= now)
                    .filter(|time| time.fire > TICK && time.fire <= now).collect();
            started.sort_by_key(|time| time.tick);
            prop_assert_eq!(started, expected);
        }

        /// To be woken when it says is enough.
        #[test]
        fn the_next_wake_misses_nothing(jitter in prop::option::of(1_000_u64..300_000), count in 1_usize..50) {
            let every_minute = table("* * * * *", jitter);
            let (mut now, mut started) = (TICK, 0);
            for _ in 0..count {
                let next = every_minute.next_fire(now).unwrap();
                prop_assert!(next > now);
                let due = every_minute.due(now, next, CatchUp::None);
                prop_assert!(!due.times.is_empty() && due.times.iter().all(|time| time.fire == next));
                started += due.times.len();
                now = next;
            }
            prop_assert!(started >= count);
        }
    }
}
