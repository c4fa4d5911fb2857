"""Is the process ready for questions? A list of named checks, each with one word; nothing more is told, since anybody may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.telemetry.standing import Standing

State = Literal["ok", "loading", "missing", "unreachable", "disconnected", "standing_by", "stopping"]
_READY: frozenset[State] = frozenset({"ok", "standing_by"})


@dataclass(frozen=True, slots=True)
class Readiness:
    """The checks, in a fixed order."""

    checks: dict[str, State]

    @property
    def ready(self) -> bool:
        """Whether questions are taken and answered."""
        return all(state in _READY for state in self.checks.values())

    def as_json(self) -> dict[str, object]:
        """What `/readyz` says."""
        reasons = [f"{name}_{state}" for name, state in self.checks.items() if state not in _READY]
        return {"status": "ready" if self.ready else "not_ready", "reasons": reasons, "checks": dict(self.checks)}


async def readiness(standing: Standing) -> Readiness:
    """Now: `service`, `edition`, `model`, `store`, then each platform by its name."""
    checks: dict[str, State] = {}
    doors = standing.doors
    checks["service"] = "loading" if doors is None else "stopping" if doors.stopping else "ok"
    checks["edition"] = "ok" if standing.live is not None else "loading"
    if standing.writer is not None and standing.writer.loaded:
        checks["model"] = "ok"
    else:  # with everything else in place it will not come any more: answers are quotes
        checks["model"] = "loading" if standing.live is None else "missing"
    checks["store"] = "ok" if await standing.ask_store() is not None else "unreachable"
    for one in doors.platform_states() if doors is not None else ():
        checks[one.name] = "ok" if one.connected else "standing_by" if one.standing_by else "disconnected"
    return Readiness(checks)
