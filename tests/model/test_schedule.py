"""Rules of schedules: what is refused, and which moments follow, in every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given
from hypothesis import strategies as st

from iaiflow_lab.errors import InputError
from iaiflow_lab.model import cron, schedule
from iaiflow_lab.model.moment import format_duration, parse_duration, parse_moment
from iaiflow_lab.model.schedule import Cron, FileChange, Interval, Once, Rule

#: Zones with changes of clocks of every kind: at midnight, by half an hour, on other days, none.
ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Lagos",
    "America/Anchorage",
    "America/Asuncion",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Dubai",
    "Asia/Ho_Chi_Minh",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Norfolk",
    "UTC",
]
#: Clocks change within an hour here; cronsim steps by whole hours, so that on these two days a rule
#: with `*` may lose a part of an hour.
WITHIN_AN_HOUR = {"Australia/Lord_Howe", "Pacific/Chatham"}
FIXED = ("30 2 * * *", "0 0 * * *", "15 1 * * *", "0,30 0-3 * * *", "59 23 * * *")
ELAPSED = ("30 */2 * * *", "*/30 * * * *", "0 * * * *", "* 2 * * *")


def at(text: str, zone: str = "UTC") -> float:
    return parse_moment(text, zone)


def changes(zone: ZoneInfo) -> list[float]:
    """Return the moments from 2026 to 2030 at which the zone's clocks change."""
    found, moment = [], at("2026-01-01")
    while moment < at("2031-01-01"):
        following = moment + 86_400
        if offset(moment, zone) != offset(following, zone):
            low, high = moment, following
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (
                    (middle, high) if offset(middle, zone) == offset(low, zone) else (low, middle)
                )
            found.append(high)
        moment = following
    return found


def offset(moment: float, zone: ZoneInfo) -> timedelta:
    shown = datetime.fromtimestamp(moment, zone).utcoffset()
    assert shown is not None
    return shown


def field_values(text: str, limit: int) -> set[int]:
    """Read a minute or hour field the plain way."""
    found = set[int]()
    for term in text.split(","):
        base, _, step = term.partition("/")
        low, _, high = base.partition("-")
        values = range(limit) if base == "*" else range(int(low), int(high or low) + 1)
        found.update(values[:: int(step or 1)])
    return found


def times_of_day(expression: str) -> set[tuple[int, int]]:
    minutes, hours = expression.split()[:2]
    return {(h, m) for h in field_values(hours, 24) for m in field_values(minutes, 60)}


def by_the_wall(expression: str, zone: ZoneInfo, start: float, end: float) -> list[float]:
    """Walk through every minute on the wall: the slow, sure way to a fixed rule's moments."""
    wanted, found = times_of_day(expression), set[float]()
    wall = datetime.fromtimestamp(start - 90_000, zone).replace(tzinfo=None, second=0, fold=0)
    for _ in range(int(end - start + 180_000) // 60):
        if (wall.hour, wall.minute) in wanted:
            found.add(parse_moment(wall.isoformat(), zone.key))
        wall += timedelta(minutes=1)
    return sorted(moment for moment in found if start < moment <= end)


def by_the_clock(expression: str, zone: ZoneInfo, start: float, end: float) -> list[float]:
    """Walk through every minute that passes."""
    wanted = times_of_day(expression)
    passing = (start + 60 * n for n in range(1, int(end - start) // 60 + 1))
    shown = ((moment, datetime.fromtimestamp(moment, zone)) for moment in passing)
    return [moment for moment, local in shown if (local.hour, local.minute) in wanted]


def between(rule: Rule, start: float, end: float) -> list[float]:
    found, moment = [], schedule.next_due(rule, start)
    while moment is not None and moment <= end:
        found.append(moment)
        moment = schedule.next_due(rule, moment)
    return found


@pytest.mark.parametrize("name", ZONES)
def test_a_change_of_clocks_leaves_no_moment_out_and_doubles_none(name):
    zone = ZoneInfo(name)
    for change in [*changes(zone), at("2026-06-01")]:
        start, end = change - 20 * 3_600, change + 20 * 3_600
        for expression in FIXED:
            rule = Rule(Cron(expression), name)
            assert between(rule, start, end) == by_the_wall(expression, zone, start, end)
        for expression in () if name in WITHIN_AN_HOUR else ELAPSED:
            rule = Rule(Cron(expression), name)
            assert between(rule, start, end) == by_the_clock(expression, zone, start, end)


@pytest.mark.parametrize("name", ZONES)
def test_moments_are_those_of_cronsim(name):
    zone = ZoneInfo(name)
    for start in [at("2026-01-01") + 0.25, *(change - 86_400 for change in changes(zone)[:2])]:
        for expression in (*FIXED, *ELAPSED, "0 6 * * 1-5", "0 9 L * *", "0 9 * * FRI#2"):
            simulated = CronSim(expression, datetime.fromtimestamp(start, zone))
            expected = list(dict.fromkeys(moment.timestamp() for moment in islice(simulated, 40)))
            rule = Rule(Cron(expression), name)
            assert [m.at for m in schedule.next_times(rule, start, len(expected))] == expected


def test_there_are_forty_zones():
    assert len(set(ZONES)) == 40


def test_moments_are_spelled_to_the_second():
    rule = Rule(Interval(1.0), "Asia/Tokyo", start=1_800_000_000.25)
    first, second = schedule.next_times(rule, 1_800_000_000.5, 2)
    assert [first.local, second.local] == ["2027-01-15T17:00:01+09:00", "2027-01-15T17:00:02+09:00"]


@pytest.mark.parametrize(
    ("rule", "after", "local", "note"),
    [
        (
            Rule(Cron("30 2 * * *"), "America/New_York"),
            "2027-03-13T12:00",
            "2027-03-14T03:00:00-04:00",
            "02:30 doesn't exist on 14 Mar 2027; will run 03:00.",
        ),
        (
            Rule(Once("2027-03-14T02:30"), "America/New_York"),
            "2027-01-01",
            "2027-03-14T03:00:00-04:00",
            "02:30 doesn't exist on 14 Mar 2027; will run 03:00.",
        ),
        (
            Rule(Cron("30 1 * * *"), "America/New_York"),
            "2027-11-06T12:00",
            "2027-11-07T01:30:00-04:00",
            "01:30 comes twice on 7 Nov 2027; will run the first time.",
        ),
        (
            Rule(Cron("0 3 * * *"), "America/New_York"),
            "2027-03-13T12:00",
            "2027-03-14T03:00:00-04:00",
            "",
        ),
        (
            Rule(Cron("*/30 * * * *"), "America/New_York"),
            "2027-03-14T06:45",
            "2027-03-14T03:00:00-04:00",
            "",
        ),
        (Rule(Cron("@daily"), "Asia/Kolkata"), "2027-01-01", "2027-01-02T00:00:00+05:30", ""),
    ],
)
def test_people_are_told_what_a_change_of_clocks_does(rule, after, local, note):
    schedule.check(rule)
    (first,) = schedule.next_times(rule, at(after), 1)
    assert (first.local, first.note) == (local, note)
    assert first.at == datetime.fromisoformat(local).timestamp()


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "The cron expression is empty."),
        ("0 6 * *", "A cron expression has exactly five fields; this one has 4."),
        ("0 0 6 * * 1", "A cron expression has exactly five fields; this one has 6."),
        ("99 * * * *", "Minute must be 0-59; got 99."),
        ("0 24 * * *", "Hour must be 0-23; got 24."),
        ("0 0 0 * *", "Day of month must be 1-31; got 0."),
        ("0 0 * 13 *", "Month must be 1-12; got 13."),
        ("0 0 * * 8", "Day of week must be 0-7; got 8."),
        ("*/0 * * * *", "Minute step must be 1-59; got '0'."),
        (
            "*/100000000000000000000 * * * *",
            "Minute step must be 1-59; got '1000000000000000000…'.",
        ),
        ("\N{ARABIC-INDIC DIGIT FIVE} * * * *", "Minute can't be '\N{ARABIC-INDIC DIGIT FIVE}'."),
        ("5-1 * * * *", "Minute range 5-1 runs backwards."),
        ("0 0 * * FRI-SUN", "Day of week range FRI-SUN runs backwards."),
        ("0 0 * * MON#6", "Day of week number must be 1-5; got '6'."),
        (", * * * *", "Minute can't be ''."),
        ("1,,2 * * * *", "Minute can't be ''."),
        ("* * * FOO *", "Month can't be 'FOO'."),
        ("0 0 31 2 *", "'0 0 31 2 *' never fires: no month that it names has such a day."),
        ("0 0 30 2 *", "'0 0 30 2 *' never fires: no month that it names has such a day."),
        ("@dayly", "'@dayly' is no moment of a clock."),
        ("@reboot", "'@reboot' is no moment of a clock."),
        ("0 " * 5_000, "A cron expression has at most 200 characters; this one has 9,999."),
    ],
)
def test_an_expression_that_says_nothing_is_refused(expression, sentence):
    with pytest.raises(InputError) as refusal:
        schedule.check(Rule(Cron(expression)))
    assert refusal.value.what == sentence
    assert refusal.value.where == "cron"


@pytest.mark.parametrize(
    "expression",
    ["* * * * *", "0 6 * * 1-5", "5/15 * * * *", "0 0 1,15 * *", "0 0 LW * *", "0 0 * * 5L",
     "0 0 * jan-mar mon,wed", "0 0 29 2 *", "0 0 * * 7", " @weekly ", "0 0 13 * FRI"],
)  # fmt: skip
def test_an_expression_with_a_meaning_is_taken(expression):
    schedule.check(Rule(Cron(expression)))
    assert len(schedule.next_times(Rule(Cron(expression)), 0.0, 3)) == 3
    assert schedule.describe(Rule(Cron(expression))).endswith("(UTC)")


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Rule(Cron("* * * * *"), "Mars/X"), "There is no time zone 'Mars/X'."),
        (Rule(Cron("* * * * *"), "../etc"), "There is no time zone '../etc'."),
        (Rule(Cron("* * * * *"), ""), "There is no time zone ''."),
        (Rule(Interval(0.5)), "The interval must be 1 s - 365 days; got 0.5 s."),
        (Rule(Interval(float("nan"))), "The interval must be 1 s - 365 days; got nan s."),
        (Rule(Interval(1e18)), "The interval must be 1 s - 365 days; got 1e+18 s."),
        (Rule(Once("tomorrow")), "'tomorrow' is no moment."),
        (Rule(Once("2026-02-30T06:00")), "'2026-02-30T06:00' is no moment."),
        (Rule(Once("9999-12-31T23:59")), "The year 9999 is not from 1970 to 2200."),
        (Rule(Once("٢٠٢٦-12-01")), "'٢٠٢٦-12-01' is no moment."),
        (Rule(Interval(60), start=float("nan")), "start = nan is no moment from 1970 to 2200."),
        (Rule(Interval(60), start=9.0, end=3.0), "The schedule ends before it starts."),
        (Rule(Interval(60), jitter_s=-1.0), "The jitter must be 0 s - 1 day; got -1.0."),
        (Rule(FileChange(())), "Name 1 to 20 files or patterns; got 0."),
        (
            Rule(FileChange(("../x",))),
            "The pattern '../x' can't be used: it has an empty part, '.' or '..'.",
        ),
        (
            Rule(FileChange(("/etc/*",))),
            "The pattern '/etc/*' can't be used: it is not relative, with forward slashes.",
        ),
        (
            Rule(FileChange(("a**/b",))),
            "The pattern 'a**/b' can't be used: '**' must stand alone between slashes.",
        ),
    ],
)
def test_a_rule_that_says_nothing_is_refused(rule, sentence):
    with pytest.raises(InputError) as refusal:
        schedule.check(rule)
    assert refusal.value.what == sentence


def test_an_interval_counts_from_its_start_and_never_drifts():
    rule = Rule(Interval(7.5), start=1_000.0)
    assert schedule.next_due(rule, 0.0) == 1_000.0
    assert schedule.next_due(rule, 1_000.0) == 1_007.5
    assert schedule.next_due(rule, 1_000.0 + 7.5 * 10**8) == 1_000.0 + 7.5 * (10**8 + 1)


def test_start_and_end_bound_a_rule():
    rule = Rule(Cron("0 * * * *"), start=3_600.0, end=7_200.0)
    assert between(rule, 0.0, 1e6) == [3_600.0, 7_200.0]
    assert schedule.next_due(rule, 7_200.0) is None
    assert schedule.next_due(Rule(FileChange(("a",))), 0.0) is None


moments = st.floats(0, at("2100-01-01"), allow_nan=False)
RULES = st.one_of(
    st.builds(
        Rule,
        st.sampled_from([*FIXED, *ELAPSED, "0 6 * * 1-5", "0 0 29 2 *", "* * * 2 *"]).map(Cron),
        st.sampled_from(ZONES),
    ),
    st.builds(Rule, st.floats(1, 1e6).map(Interval), start=st.floats(0, 2e9)),
)


@given(RULES, moments)
def test_each_moment_is_later_than_the_last_and_depends_on_nothing_else(rule, after):
    found = [moment.at for moment in schedule.next_times(rule, after, 5)]
    assert found == sorted(set(found))
    assert all(moment > after for moment in found)
    for earlier, later in pairwise(found):
        assert schedule.next_due(rule, earlier) == later
        assert schedule.next_due(rule, (earlier + later) / 2) == later


@given(RULES, moments, st.integers(1, 40), st.integers(1, 60))
def test_what_was_missed_is_the_newest_of_all(rule, after, limit, count):
    missed = [moment.at for moment in schedule.next_times(rule, after, count)]
    assert schedule.due_until(rule, missed[0], missed[-1], limit) == missed[-limit:]


@given(st.text(st.sampled_from("0123456789*/,-#LW MONFRI@x\u0663"), max_size=30))
def test_whatever_is_taken_has_moments_and_the_rest_has_a_sentence(text):
    try:
        schedule.check(Rule(Cron(text)))
    except InputError:
        return
    assert schedule.next_due(Rule(Cron(text)), 0.0) is not None


@given(st.lists(st.sampled_from(["*", "0", "7", "*/3", "1-4", "2,5", "L", "LW", "5L", "MON#1",
                                 "JAN", "FRI", "60", "0/0"]), min_size=5, max_size=5))  # fmt: skip
def test_only_what_cronsim_takes_is_taken(fields):
    text = " ".join(fields)
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        with pytest.raises(InputError):
            cron.check(text)
        return
    cron.check(text)


@given(st.integers(1, 10**7))
def test_lengths_of_time_can_be_read_back(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("15m", 900), ("15min", 900), ("1h30m", 5_400), ("2d", 172_800), ("0.5s", 0.5)],
)
def test_lengths_of_time(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "1e9", "5 parsecs", "٣s", "nan", "m5"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(InputError):
        parse_duration(text)


@given(st.sampled_from(ZONES), st.integers(100_000, int(at("2100-01-01"))))
def test_a_moment_read_is_the_moment_written(name, moment):
    local = datetime.fromtimestamp(moment, ZoneInfo(name))
    assert parse_moment(local.isoformat(), "UTC") == moment
    assume(not local.fold)
    assert parse_moment(local.replace(tzinfo=None).isoformat(), name) == moment


def test_a_moment_may_have_fractions_of_a_second():
    whole = parse_moment("2026-12-01T06:00", "UTC")
    assert parse_moment("2026-12-01T06:00:00.250Z", "Asia/Tokyo") == whole + 0.25
