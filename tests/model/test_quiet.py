"""Quiet hours in every zone, over midnight and over changes of clocks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.errors import InputError
from iaiflow_lab.model.quiet import Quiet, parse_quiet, quiet_until

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


def at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("hours", "zone", "now", "end"),
    [
        ("22:00-07:00", "Europe/Berlin", "2026-12-01T22:00", "2026-12-02T07:00"),
        ("22:00-07:00", "Europe/Berlin", "2026-12-02T06:59:59", "2026-12-02T07:00"),
        ("22:00-07:00", "Europe/Berlin", "2026-12-02T07:00", None),
        ("22:00-07:00", "Europe/Berlin", "2026-12-02T21:59", None),
        ("12:00-13:30", "UTC", "2026-12-02T13:00", "2026-12-02T13:30"),
        ("12:00-13:30", "UTC", "2026-12-02T13:30", None),
        ("22:00-00:00", "UTC", "2026-12-31T23:00", "2027-01-01T00:00"),
        # 02:30 does not exist on this day: quiet ends when the clocks have gone forward.
        ("22:00-02:30", "Europe/Berlin", "2027-03-28T01:00", "2027-03-28T03:00"),
        # 02:30 comes twice on this day: the first ends the quiet.
        ("22:00-02:30", "Europe/Berlin", "2026-10-25T01:00", "2026-10-25T02:30"),
    ],
)
def test_when_quiet_ends(hours, zone, now, end):
    found = quiet_until(parse_quiet(hours, zone), at(now, zone))
    assert found == (None if end is None else at(end, zone))


@given(
    start=st.integers(0, 1_439),
    length=st.integers(1, 1_439),
    zone=st.sampled_from(ZONES),
    now=st.floats(1_767_225_600, 1_893_456_000),
)
def test_the_end_lies_ahead_within_about_a_day_and_is_not_quiet(start, length, zone, now):
    quiet = Quiet(start, (start + length) % 1_440, zone)
    end = quiet_until(quiet, now)
    if end is not None:
        assert now < end <= now + 26 * 3_600
        assert quiet_until(quiet, end) is None or length > 1_300


@pytest.mark.parametrize(
    "text", ["", "22-7", "24:00-07:00", "22:00-07:60", "22:00-22:00", "٢٢:00-07:00", "x" * 1_000]
)
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match=r"22:00-07:00|never begin"):
        parse_quiet(text, "UTC")


def test_a_zone_that_is_none_is_refused():
    with pytest.raises(InputError, match="no time zone 'Mars/X'"):
        parse_quiet("22:00-07:00", "Mars/X")
