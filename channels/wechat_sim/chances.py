"""What goes wrong on the way, at random but from a seed: all chances are between 0 and 1."""

import random
import threading
from dataclasses import dataclass, field
from enum import Enum


class Fate(Enum):
    """What becomes of one HTTP call."""

    ARRIVES = "arrives"
    CUT = "cut"  # broken before the other side has read it
    UNHEARD = "unheard"  # read and done over there; the answer is lost


class Overtaking:
    """Lets one wait until another has gone by."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._passed = 0

    def wait(self, seconds: float) -> None:
        """Until somebody passes, at most so long."""
        with self._changed:
            before = self._passed
            self._changed.wait_for(lambda: self._passed != before, seconds)

    def passes(self) -> None:
        """Somebody goes by."""
        with self._changed:
            self._passed += 1
            self._changed.notify_all()


@dataclass
class Chances:
    """``delay``: a call waits up to ``delay_seconds``. ``repeat``: an answered message is delivered once more, up to
    ``repeat_seconds`` later. ``reorder``: a call lets another go first. ``drop``: a delivery is broken before or after it
    was read; an API call before. ``unheard``: an API call is carried out and its answer lost.
    """

    seed: int = 0
    delay: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    unheard: float = 0.0
    delay_seconds: float = 1.0
    repeat_seconds: float = 3.0
    _random: random.Random = field(init=False, repr=False)
    _overtaking: Overtaking = field(default_factory=Overtaking, init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 – for accidents, not for secrets

    def happens(self, chance: float) -> bool:
        """Whether it does."""
        return chance > 0 and self._random.random() < chance

    def up_to(self, seconds: float) -> float:
        """A time below this one."""
        return self._random.uniform(0, seconds)

    def hold(self, over: threading.Event) -> None:
        """The call's time on the way. ``over`` ends it early."""
        if self.happens(self.delay):
            over.wait(self.up_to(self.delay_seconds))
        if self.happens(self.reorder):
            self._overtaking.wait(self.delay_seconds)
        self._overtaking.passes()

    def of_delivery(self) -> Fate:
        """What becomes of a delivery to the account."""
        if not self.happens(self.drop):
            return Fate.ARRIVES
        return Fate.CUT if self.happens(0.5) else Fate.UNHEARD

    def of_call(self) -> Fate:
        """What becomes of an API call."""
        if self.happens(self.drop):
            return Fate.CUT
        return Fate.UNHEARD if self.happens(self.unheard) else Fate.ARRIVES
