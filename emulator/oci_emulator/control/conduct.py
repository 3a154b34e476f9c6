"""How the services conduct themselves: mode and profile, time, and rules."""

from collections.abc import Sequence

from oci_emulator.conduct import lags
from oci_emulator.control.call import ControlCall, Route, only
from oci_emulator.formats.jsontypes import JsonObject, compact
from oci_emulator.services.datascience.plans import Plans
from oci_emulator.services.foundation import Foundation
from oci_emulator.time.clock import timestamp


class ConductControl:
    """Shows and changes mode, clock and rules; the state directory remembers them."""

    def __init__(self, foundation: Foundation, plans: Plans) -> None:
        self._foundation = foundation
        self._plans = plans

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (
            ("GET", "mode", self._get_mode),
            ("PUT", "mode", self._put_mode),
            ("GET", "clock", self._get_clock),
            ("PUT", "clock", self._put_clock),
            ("GET", "rules", self._get_rules),
            ("PUT", "rules", self._put_rules),
        )

    def _get_mode(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # a handler like others
        profile = self._foundation.profile
        return {
            **self._plans.as_json(),
            "profile": profile.name,
            "lags": lags.as_json(profile.lags),
        }

    def _put_mode(self, call: ControlCall) -> JsonObject:
        only(call.body, "mode", "plans", "default", "profile")
        self._plans.set(call.body)
        if "profile" in call.body:
            self._foundation.profile.select(call.body["profile"])
        database = self._foundation.database
        database.set_fact("profile", self._foundation.profile.name)
        database.set_fact("plans", compact(self._plans.as_json()))
        return self._get_mode(call)

    def _get_clock(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        clock = self._foundation.clock
        now = clock.now()
        return {"now": timestamp(now), "seconds": now, "rate": clock.rate}

    def _put_clock(self, call: ControlCall) -> JsonObject:
        only(call.body, "advance", "rate")
        clock = self._foundation.clock
        if "rate" in call.body:
            clock.set_rate(float(call.body["rate"]))
        if "advance" in call.body:
            clock.advance(float(call.body["advance"]))
        reading = clock.reading
        self._foundation.database.set_fact(
            "clock", compact([reading.real, reading.shown, reading.rate])
        )
        return self._get_clock(call)

    def _get_rules(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        return self._foundation.rules.as_json()

    def _put_rules(self, call: ControlCall) -> JsonObject:
        book = self._foundation.book
        book.rules = book.rules.with_values(call.body)
        self._foundation.database.set_fact("rules", compact(book.rules.as_json()))
        return self._get_rules(call)
