"""What a user allows the account to send, counted as strictly as the platform's description can be read.

Each action opens a window of its own: a message 5 sends in 48 hours; a menu click, a follow or a scan 3 in a minute. They do
not add up: a send counts against every open window, and goes out while one of them has any left.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What a user does that lets the account write."""

    MESSAGE = "message"
    TOUCH = "touch"  # click, follow, scan


ALLOWED = {Action.MESSAGE: (5, 48 * 3600.0), Action.TOUCH: (3, 60.0)}  # sends, seconds


@dataclass
class _Window:
    left: int
    ends: float


@dataclass
class Ledger:
    """The windows of one user; times are seconds of any clock."""

    _windows: dict[Action, _Window] = field(default_factory=dict)

    def did(self, action: Action, now: float) -> None:
        """The user has done something: its window begins anew."""
        sends, seconds = ALLOWED[action]
        self._windows[action] = _Window(sends, now + seconds)

    def _open(self, now: float) -> list[_Window]:
        return [window for window in self._windows.values() if now < window.ends]

    def left(self, now: float) -> int:
        """Sends left now."""
        return max((window.left for window in self._open(now)), default=0)

    def ends(self, now: float) -> float | None:
        """When the last open window closes, or None when none is open."""
        return max((window.ends for window in self._open(now)), default=None)

    def spend(self, now: float) -> int:
        """Counts a send: 0 when it goes out, else the errcode (45015 no window, 45047 too many)."""
        windows = self._open(now)
        if not windows:
            return 45015
        if not any(window.left for window in windows):
            return 45047
        for window in windows:
            window.left = max(0, window.left - 1)
        return 0

    def close(self) -> None:
        """The user has left the account."""
        self._windows.clear()
