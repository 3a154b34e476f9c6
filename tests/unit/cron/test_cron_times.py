"""When schedules fire: as Kubernetes' own CronJob controller has it (goldens), and in general."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.cron.fields import InvalidScheduleError, parse_every, parse_fields
from ocijobs.cron.times import (
    InvalidTimeZoneError,
    Missed,
    Timetable,
    due_start,
    most_recent,
    next_start,
    time_zone,
)

GOLDENS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "goldens" / "cron.json").read_text(encoding="utf-8")
)
UTC_ZONE = time_zone("UTC")
NIGHT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def stamp(moment: datetime | None) -> str | None:
    """Write a time as the goldens have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else None


def cases(kind: str) -> list[Any]:
    """Return goldens by zone: a test each."""
    return sorted({golden["zone"] for golden in GOLDENS[kind]})


@pytest.mark.parametrize("zone", cases("next"))
def test_it_fires_when_kubernetes_would_whatever_the_clocks_do(zone: str) -> None:
    for golden in (one for one in GOLDENS["next"] if one["zone"] == zone):
        timetable = Timetable.parse(golden["schedule"], time_zone(zone))
        at: datetime | None = datetime.fromisoformat(golden["after"])
        times: list[str | None] = []
        while len(times) < len(golden["times"]) and at is not None:
            at = timetable.next_after(at)
            times.append(stamp(at))
        assert times == golden["times"], (golden["schedule"], golden["after"])


@pytest.mark.parametrize("zone", cases("recent"))
def test_the_start_that_is_due_is_the_one_of_kubernetes(zone: str) -> None:
    for golden in (one for one in GOLDENS["recent"] if one["zone"] == zone):
        due = most_recent(
            Timetable.parse(golden["schedule"], time_zone(zone)),
            earliest=datetime.fromisoformat(golden["earliest"]),
            now=datetime.fromisoformat(golden["now"]),
        )
        assert (stamp(due.at), due.missed.value) == (golden["at"], golden["missed"]), golden


STRANGE = {"*-5 * * * *", "+1 * * * *", "@every -1h"}
"""What Kubernetes takes and nobody means; here it is refused."""


@pytest.mark.parametrize("schedule", sorted(set(GOLDENS["accepted"]) - STRANGE))
def test_what_kubernetes_takes_is_taken(schedule: str) -> None:
    if schedule.startswith("@every "):
        parse_every(schedule)
    else:
        parse_fields(schedule)


@pytest.mark.parametrize("schedule", sorted({*GOLDENS["refused"], *STRANGE}))
def test_what_kubernetes_refuses_is_refused(schedule: str) -> None:
    with pytest.raises(InvalidScheduleError):
        Timetable.parse(schedule, UTC_ZONE)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("0 0 31 2 *", "names no day that any year has"),
        ("0 25 * * *", "hour: '25' is not within 0-23"),
        ("0 2 * *", "has 4 fields"),
        ("@every soon", "a duration such as 1h30m"),
        ("@every 9999999h", "292 years are the longest"),
        (f"@every {'9' * 200}h", "292 years are the longest"),
        ("TZ=UTC 0 2 * * *", "has 6 fields"),
    ],
)
def test_a_schedule_that_is_none_is_refused_in_words(schedule: str, says: str) -> None:
    with pytest.raises(InvalidScheduleError, match=says):
        Timetable.parse(schedule, UTC_ZONE)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd"])
def test_a_time_zone_that_is_none_is_refused_in_words(name: str) -> None:
    with pytest.raises(InvalidTimeZoneError, match=f"^'{name}' is not a time zone"):
        time_zone(name)


def test_a_clock_that_was_set_years_ahead_costs_no_more_than_one_that_was_not() -> None:
    each_minute = Timetable.parse("* * * * *", UTC_ZONE)
    due = most_recent(each_minute, earliest=NIGHT, now=NIGHT + timedelta(days=40 * 365))
    assert due.at == NIGHT + timedelta(days=40 * 365)
    assert due.missed is Missed.MANY


def test_a_clock_that_was_set_back_starts_nothing() -> None:
    hourly = Timetable.parse("@hourly", UTC_ZONE)
    due = most_recent(hourly, earliest=NIGHT, now=NIGHT - timedelta(days=30))
    assert due.at is None
    assert due.missed is Missed.NONE


@pytest.mark.parametrize(
    ("deadline", "at"),
    [
        (None, timedelta(hours=1)),
        (timedelta(minutes=20), None),
        (timedelta(minutes=31), timedelta(hours=1)),
    ],
)
@pytest.mark.parametrize("schedule", ["30 2 * * *", "@every 1h"])
def test_a_start_that_was_missed_by_more_than_the_deadline_is_not_due(
    schedule: str, deadline: timedelta | None, at: timedelta | None
) -> None:
    timetable, now = Timetable.parse(schedule, UTC_ZONE), NIGHT + timedelta(minutes=90)
    due = due_start(timetable, last=NIGHT, now=now, deadline=deadline)
    assert due.at == (at and NIGHT + at)


def test_a_delay_that_is_longer_than_the_deadline_comes_to_its_end() -> None:
    daily = Timetable.parse("@every 24h", UTC_ZONE)
    now, deadline = NIGHT + timedelta(hours=24, seconds=5), timedelta(seconds=10)
    assert due_start(daily, last=NIGHT, now=now, deadline=deadline).at == NIGHT + timedelta(
        hours=24
    )


@pytest.mark.parametrize(
    ("schedule", "following"), [("30 * * * *", 3.0), ("@every 2h", 4.0), ("@every 7h", 7.0)]
)
def test_the_next_start_is_to_come_and_a_delay_counts_from_the_last_one(
    schedule: str, following: float
) -> None:
    timetable, now = Timetable.parse(schedule, UTC_ZONE), NIGHT + timedelta(hours=2.5)
    assert next_start(timetable, last=NIGHT, now=now) == NIGHT + timedelta(hours=following)


ZONES = st.sampled_from(["UTC", "Europe/Paris", "Australia/Lord_Howe", "America/New_York"])
SCHEDULES = st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 0 1 * *", "15 1-3 * * sun", "@daily"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(SCHEDULES, ZONES, MOMENTS)
def test_each_start_comes_after_the_last_and_is_what_the_fields_say(
    schedule: str, zone: str, after: datetime
) -> None:
    timetable = Timetable.parse(schedule, time_zone(zone))
    first = timetable.next_after(after)
    assert first is not None
    second = timetable.next_after(first)
    assert second is not None
    assert after < first < second
    assert timetable.next_after(first - timedelta(seconds=1)) == first


@given(SCHEDULES, ZONES, MOMENTS, st.timedeltas(timedelta(), timedelta(days=3)))
def test_the_start_that_is_due_has_come_and_one_that_is_not_missed_is_the_last(
    schedule: str, zone: str, earliest: datetime, elapsed: timedelta
) -> None:
    timetable, now = Timetable.parse(schedule, time_zone(zone)), earliest + elapsed
    due = most_recent(timetable, earliest=earliest, now=now)
    assert due.at is None or earliest < due.at <= now
    following = timetable.next_after(due.at or earliest)
    assert following is not None
    assert following > now or due.missed is not Missed.NONE


def test_time_zones_are_there_though_the_image_has_none() -> None:
    """A slim image has no /usr/share/zoneinfo, and then not even UTC."""
    nowhere = {"PYTHONTZPATH": "", "PATH": os.environ["PATH"]}
    program = "import zoneinfo; print(zoneinfo.TZPATH, zoneinfo.ZoneInfo('Europe/Paris'))"
    done = subprocess.run(
        [sys.executable, "-c", program], env=nowhere, capture_output=True, text=True, check=True
    )
    assert done.stdout == "() Europe/Paris\n"


def test_fields_that_name_nothing_are_refused() -> None:
    with pytest.raises(InvalidScheduleError, match="minute: ',' names no value"):
        parse_fields(", * * * *")


def test_a_month_that_does_not_fit_has_no_day() -> None:
    assert not parse_fields("0 0 * 3 *").allows(NIGHT.date())
    assert parse_fields("0 0 * 11 *").allows(NIGHT.date())


@pytest.mark.parametrize("schedule", ["0 0 30 12 *", "0 0 31 12 *"])
def test_a_day_that_a_zone_left_out_is_not_looked_for_for_ever(schedule: str) -> None:
    """Apia had no 30 December 2011; Kubernetes never ends there."""
    apia = Timetable.parse(schedule, time_zone("Pacific/Apia"))
    assert apia.next_after(datetime(2011, 12, 28, tzinfo=UTC)) is None
    assert apia.next_after(datetime(2012, 1, 1, tzinfo=UTC)) is not None
