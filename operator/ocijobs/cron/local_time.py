"""A moment in a time zone, with the arithmetic of Go's package time, which Kubernetes' schedules rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A moment, and what the clocks of its zone show then (without a zone)."""

    instant: datetime
    wall: datetime
    zone: ZoneInfo

    @classmethod
    def of(cls, instant: datetime, zone: ZoneInfo) -> Self:
        """Return a moment in a zone."""
        return cls(instant.astimezone(UTC), instant.astimezone(zone).replace(tzinfo=None), zone)

    def plus(self, elapsed: timedelta) -> LocalTime:
        """Return the moment after a time has elapsed (`Time.Add`)."""
        return LocalTime.of(self.instant + elapsed, self.zone)

    def at_start_of_month(self) -> LocalTime:
        """Return the first midnight of the month."""
        return self._shown(self.wall.replace(day=1, hour=0, minute=0, second=0, microsecond=0))

    def at_start_of_day(self) -> LocalTime:
        """Return midnight."""
        return self._shown(self.wall.replace(hour=0, minute=0, second=0, microsecond=0))

    def at_start_of_hour(self) -> LocalTime:
        """Return the hour's first minute."""
        return self._shown(self.wall.replace(minute=0, second=0, microsecond=0))

    def next_day(self) -> LocalTime:
        """Return the same time of the next day (`Time.AddDate`)."""
        return self._shown(self.wall + timedelta(days=1))

    def next_month(self) -> LocalTime:
        """Return the same time of the next month, of a day that every month has."""
        year, month = divmod(self.wall.year * 12 + self.wall.month, 12)
        return self._shown(self.wall.replace(year=year, month=month + 1))

    def _shown(self, wall: datetime) -> LocalTime:
        """Return when clocks show that (`time.Date`): what they never show, or twice, is taken as Go takes it."""
        guess = wall.replace(tzinfo=UTC)
        offset = self._offset(guess)
        if offset:
            offset = self._offset(guess - offset)
        return LocalTime.of(guess - offset, self.zone)

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(self.zone).utcoffset() or timedelta()
