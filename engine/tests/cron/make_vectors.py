"""Makes vectors.tsv: what schedules come to, according to others.

    python3 -m venv venv && venv/bin/pip install croniter==7.0.0 tzdata==2026.6
    venv/bin/python make_vectors.py > vectors.tsv

Which wall-clock minutes a schedule names is decided by croniter, one minute at a time or from one to the next. What the wall shows
when is decided by Python's zoneinfo over its own copy of the time zone data, walked minute by minute. So nothing here shares code or
data with the engine. The rules for changes of the clocks are those of engine/src/cron/schedule.rs, spelt out by brute force.

A line: schedule, moment, the next times after it; RFC 3339, separated by tabs and blanks.
"""

import datetime as dt
import random
from zoneinfo import ZoneInfo

from croniter import croniter

UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)
COUNT = 4
dice = random.Random(20261126)

NAMES = {3: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 4: "SUN MON TUE WED THU FRI SAT".split()}
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


def text(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def emit(schedule, after, times):
    print(schedule, text(after), " ".join(text(time) for time in times), sep="\t")


def item(field):
    low, high = BOUNDS[field]
    value = dice.randint(low, high)
    other = dice.randint(low, high)
    first, last = min(value, other), max(value, other)
    step = dice.randint(2, max(2, (high - low) // 2))

    def spelt(number):
        names = NAMES.get(field)
        if names and dice.random() < 0.5:
            name = names[number - low]
            return dice.choice([name, name.lower(), name.capitalize()])
        return str(number)

    shapes = [
        lambda: spelt(value),
        lambda: spelt(value),
        lambda: f"{spelt(first)}-{spelt(last)}" if first < last else spelt(first),
        lambda: f"{first}-{last}/{step}" if first + step <= last else spelt(first),
        lambda: f"*/{step}",
        lambda: f"{value}/{step}" if value + step <= high else spelt(value),
    ]
    return dice.choice(shapes)()


def field(number):
    if dice.random() < [0.15, 0.35, 0.5, 0.6, 0.5][number]:
        return "*"
    return ",".join(item(number) for _ in range(dice.choice([1, 1, 1, 2, 3])))


def is_disputed(pattern):
    """croniter takes days that are all listed for `*`; Vixie's cron and its heirs take them for a list, and either day counts."""
    expanded, _ = croniter.expand(pattern)
    return any(expanded[day] == ["*"] and pattern.split()[day] != "*" for day in (2, 4))


def is_interval(fields):
    return any("*" in item or ("/" in item and "-" not in item) for field in fields[:2] for item in field.split(","))


def named(fields):
    """The wall-clock minutes that five fields name, from one to the next."""
    pattern = " ".join(fields)

    def after(wall):
        times = croniter(pattern, wall, day_or=True, ret_type=dt.datetime)
        while True:
            yield times.get_next()

    return after


def in_utc(schedule, after):
    times = named(schedule.split())(after.replace(tzinfo=None))
    emit(schedule, after, [next(times).replace(tzinfo=UTC) for _ in range(COUNT)])


def intervals(pattern, zone, after):
    """Whenever the wall shows a time that is named."""
    moment = after.replace(second=0, microsecond=0) + MINUTE
    while True:
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        if croniter.match(pattern, wall, day_or=True):
            yield moment
        moment += MINUTE


def first_shown(wall, zone):
    """The first moment at which the wall shows this time; where it never does, the first one behind the change."""
    moment = wall.replace(tzinfo=UTC) - dt.timedelta(hours=16)
    while moment.astimezone(zone).replace(tzinfo=None, fold=0) < wall:
        moment += MINUTE
    return moment


def fixed(fields, zone, after):
    """Once for each time on the wall."""
    for wall in named(fields)(after.astimezone(zone).replace(tzinfo=None, fold=0) - dt.timedelta(days=2)):
        moment = first_shown(wall, zone)
        if moment > after:
            yield moment


def zoned(zone, pattern, after, count=COUNT):
    fields = pattern.split()
    where = ZoneInfo(zone)
    found = intervals(pattern, where, after) if is_interval(fields) else fixed(fields, where, after)
    times = []
    for time in found:
        if not times or time > times[-1]:
            times.append(time)
        if len(times) == count:
            break
    emit(f"{dice.choice(['TZ', 'CRON_TZ'])}={zone} {pattern}", after, times)


def main():
    print("# Made by make_vectors.py: croniter 7.0.0, tzdata 2026.6.")
    start, end = dt.datetime(2024, 1, 1, tzinfo=UTC), dt.datetime(2036, 1, 1, tzinfo=UTC)

    def moment():
        return start + dt.timedelta(seconds=dice.randrange(int((end - start).total_seconds())))

    # The calendar alone: lists, ranges, steps, names, either day.
    for _ in range(400):
        pattern = " ".join(field(number) for number in range(5))
        if not is_disputed(pattern):
            in_utc(pattern, moment())
    for pattern in ["0 0 29 2 *", "59 23 31 12 *", "0 0 13 * FRI", "0 0 1,15 * MON", "*/7 */5 */9 */4 */3", "0 12 * * SUN", "0 12 * * 1-5", "0 0 31 * *", "30 4 1 1 *"]:
        for _ in range(3):
            in_utc(pattern, moment())

    # Around changes of the clocks: by an hour, by half an hour, by two; north and south; and where there are none.
    changes = [
        ("America/New_York", dt.datetime(2027, 3, 14, 7, tzinfo=UTC)),
        ("America/New_York", dt.datetime(2027, 11, 7, 6, tzinfo=UTC)),
        ("Europe/Berlin", dt.datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ("Europe/Berlin", dt.datetime(2027, 10, 31, 1, tzinfo=UTC)),
        ("Australia/Lord_Howe", dt.datetime(2027, 10, 2, 15, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", dt.datetime(2027, 4, 3, 15, tzinfo=UTC)),
        ("Antarctica/Troll", dt.datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ("Antarctica/Troll", dt.datetime(2027, 10, 31, 1, tzinfo=UTC)),
        ("America/Santiago", dt.datetime(2027, 9, 5, 4, tzinfo=UTC)),
        ("America/Santiago", dt.datetime(2027, 4, 4, 3, tzinfo=UTC)),
        ("Asia/Kolkata", dt.datetime(2027, 4, 4, 3, tzinfo=UTC)),
        ("Asia/Kathmandu", dt.datetime(2027, 4, 4, 3, tzinfo=UTC)),
        # Beyond the last change that the data lists one by one.
        ("Europe/Berlin", dt.datetime(2055, 3, 28, 1, tzinfo=UTC)),
        ("America/New_York", dt.datetime(2055, 11, 7, 6, tzinfo=UTC)),
    ]
    patterns = [
        "0 * * * *", "30 * * * *", "*/15 * * * *", "*/20 1-3 * * *", "0 */2 * * *", "5/25 2 * * *",
        "0 1 * * *", "30 1 * * *", "0 2 * * *", "30 2 * * *", "0 3 * * *", "0 0 * * *", "15,45 1,2 * * *", "0-59/20 2 * * *", "0 9 * * 1-5",
    ]
    hours = lambda count: dt.timedelta(hours=count)
    for zone, change in changes:
        for pattern in patterns:
            for before in [hours(30), hours(2), hours(1), hours(0.75), hours(0.25), hours(0), hours(-0.25), hours(-0.75), hours(-1), hours(-1.5)]:
                # All of them would be many: some of each.
                if before in (hours(1), hours(0.75), hours(-0.25)) or dice.random() < 0.15:
                    zoned(zone, pattern, change - before)


main()
