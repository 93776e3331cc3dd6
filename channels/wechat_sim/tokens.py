"""Access tokens by the rules of ``stable_token``: an ordinary call does not rotate a good token, a forced one does – not
within 30 seconds of the last (the same token comes back), and 20 times a day at most. In the last five minutes an
ordinary call already gives the next token, and the old one stays good to its end.
"""

import secrets
import threading
from collections.abc import Callable

FORCED_APART_SECONDS = 30
FORCED_A_DAY = 20
EARLY_SECONDS = 300
DAY_SECONDS = 86_400


class Tokens:
    """The tokens of one account. ``life_seconds`` is how long one is good; ``clock`` gives seconds."""

    def __init__(self, life_seconds: float, clock: Callable[[], float]) -> None:
        self.life_seconds = life_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._newest = ""
        self._forced: list[float] = []
        self.issued = 0

    def get(self, force: bool = False) -> tuple[str, int]:
        """A token and its seconds left. Raises OverflowError when it was forced too often today."""
        with self._lock:
            now = self._clock()
            if force:
                self._force(now)
            early = min(EARLY_SECONDS, self.life_seconds / 4)
            if self._ends.get(self._newest, 0) - early <= now:
                self._newest = secrets.token_urlsafe(48)
                self._ends[self._newest] = now + self.life_seconds
                self.issued += 1
            return self._newest, int(self._ends[self._newest] - now)

    def _force(self, now: float) -> None:
        """Takes the newest token away unless that happened a moment ago."""
        self._forced = [at for at in self._forced if now - at < DAY_SECONDS]
        if self._forced and now - self._forced[-1] < FORCED_APART_SECONDS:
            return
        if len(self._forced) >= FORCED_A_DAY:
            raise OverflowError
        self._forced.append(now)
        self._ends.pop(self._newest, None)

    def errcode(self, token: str) -> int:
        """0 for a good token, 41001 missing, 40001 not ours or taken away, 42001 expired."""
        with self._lock:
            if not token:
                return 41001
            if token not in self._ends:
                return 40001
            return 0 if self._clock() < self._ends[token] else 42001

    def expire(self) -> None:
        """All tokens are at their end, before their time."""
        with self._lock:
            self._ends = dict.fromkeys(self._ends, 0.0)
