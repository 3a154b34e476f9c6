"""When schedules fire: a recurrence that never does is not looked for for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil import rrule

from oci_emulator.calls.errors import ServiceError
from oci_emulator.services.datascience.triggers import check, following

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
HOURS_OF_TEN_YEARS = 88_000


def first(recurrence: str, start: str | None = None, *, now: datetime = NOW) -> str | None:
    """When a recurrence fires first after now."""
    trigger = {"triggerType": "ICAL", "recurrence": recurrence}
    trigger |= {} if start is None else {"timeStart": start}
    found = following(trigger, now.timestamp(), created=now.timestamp())
    return None if found is None else datetime.fromtimestamp(found, UTC).isoformat()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that dateutil has gone: hours, days, weeks, months or years; it is stopped after too many."""
    gone: list[str] = []

    def counted(name: str) -> Any:
        original = getattr(rrule._iterinfo, name)

        def step(*arguments: Any) -> Any:
            gone.append(name)
            if len(gone) > HOURS_OF_TEN_YEARS + 24 * 31:
                raise AssertionError("the search goes on beyond ten years")
            return original(*arguments)

        return step

    for name in ("ydayset", "mdayset", "wdayset", "ddayset"):
        monkeypatch.setattr(rrule._iterinfo, name, counted(name))
    return gone


NEVER = "BYMONTH=2;BYMONTHDAY=31"


@pytest.mark.parametrize(
    "recurrence",
    [
        f"FREQ=HOURLY;{NEVER}",
        "FREQ=HOURLY;BYSETPOS=2",
        f"FREQ=DAILY;{NEVER}",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        f"FREQ=WEEKLY;{NEVER}",
        f"FREQ=MONTHLY;{NEVER}",
        f"FREQ=YEARLY;{NEVER}",
    ],
)
def test_a_recurrence_that_never_comes_is_looked_for_in_ten_years_alone(
    recurrence: str, steps: list[str]
) -> None:
    assert first(recurrence) is None
    assert steps
    steps.clear()
    with pytest.raises(ServiceError, match="never fires"):
        check({"triggerType": "ICAL", "recurrence": recurrence, "timeStart": NOW.isoformat()})


@pytest.mark.parametrize(
    ("recurrence", "start", "at"),
    [
        ("FREQ=HOURLY", None, "2026-11-29T13:30:00+00:00"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29", None, "2028-02-29T00:30:00+00:00"),
        ("FREQ=DAILY;BYMONTH=10", None, "2027-10-01T12:30:00+00:00"),
        # Its last time was 28 years before.
        (
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU",
            "2000-02-29T06:00:00Z",
            "2028-02-29T06:00:00+00:00",
        ),
        ("FREQ=MONTHLY;INTERVAL=119", "2026-11-29T06:00:00Z", "2036-10-29T06:00:00+00:00"),
        ("FREQ=YEARLY;INTERVAL=10", "2026-11-29T06:00:00Z", "2036-11-29T06:00:00+00:00"),
        ("FREQ=DAILY;INTERVAL=3660", "2026-11-29T06:00:00Z", "2036-12-06T06:00:00+00:00"),
        ("FREQ=DAILY;INTERVAL=3661", "2026-11-29T06:00:00Z", None),
    ],
)
def test_a_recurrence_that_comes_seldom_is_found(
    recurrence: str, start: str | None, at: str | None
) -> None:
    assert first(recurrence, start) == at


def test_the_last_moment_of_the_ten_years_counts() -> None:
    tuesday = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU"
    now = datetime(2018, 2, 21, 12, tzinfo=UTC)
    assert first(tuesday, now=now) == "2028-02-29T12:00:00+00:00"
    assert first(tuesday, now=now - timedelta(days=1)) is None


@pytest.mark.parametrize(
    "recurrence",
    [
        "FREQ=HOURLY",
        "FREQ=HOURLY;INTERVAL=5;BYMINUTE=7,8",
        "FREQ=DAILY;INTERVAL=3;BYMONTH=12",
        "FREQ=WEEKLY;INTERVAL=2",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
        "FREQ=MONTHLY;INTERVAL=7",
        "FREQ=DAILY;INTERVAL=3;COUNT=1000",
    ],
)
def test_what_began_long_ago_goes_on_in_step(recurrence: str, steps: list[str]) -> None:
    start = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    expected = rrule.rrulestr(recurrence, dtstart=start).after(NOW)
    assert first(recurrence, start.isoformat()) == (expected and expected.isoformat())
    steps.clear()
    first(recurrence, "1602-01-01T00:00:00Z")
    assert len(steps) <= 1001


@pytest.mark.parametrize("frequency", ["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
@pytest.mark.parametrize("interval", [0, -1])
def test_steps_that_lead_nowhere_are_refused(frequency: str, interval: int) -> None:
    with pytest.raises(ServiceError, match="INTERVAL must be 1 or more"):
        first(f"FREQ={frequency};INTERVAL={interval}")
