"""The supervisor's numbers, from plain values. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median


@dataclass(frozen=True)
class Stay:
    """A first stay in the queue: seconds waited, how it ended (None: still waiting), and the wait that was told."""

    seconds: float
    ended_by: str | None
    told_seconds: int | None = None

    @property
    def answered(self) -> bool:
        """An agent got the talk."""
        return self.ended_by == "assigned"

    @property
    def abandoned(self) -> bool:
        """The customer gave up. A message or call-back instead of waiting is not giving up."""
        return self.ended_by in {"left", "closed"}


def service_level(stays: Collection[Stay], within_seconds: float) -> float | None:
    """The share answered in time of all who were answered, gave up, or have waited longer than that already; 0–1.

    Who gave up before the time was over does not count: the usual definition of call centres. None without anybody.
    """
    counted = [s for s in stays if s.answered or (s.seconds > within_seconds and s.ended_by != "follow_up")]
    if not counted:
        return None
    return sum(s.answered and s.seconds <= within_seconds for s in counted) / len(counted)


def estimate_error_seconds(stays: Collection[Stay]) -> float | None:
    """The median difference of the told and the real wait, of those who were told one and were answered."""
    errors = [abs(s.told_seconds - s.seconds) for s in stays if s.answered and s.told_seconds is not None]
    return median(errors) if errors else None


def mean(values: Sequence[float]) -> float | None:
    """None without any."""
    return fmean(values) if values else None


def gini(values: Collection[float]) -> float:
    """0: all the same; towards 1: one has everything."""
    total = sum(values)
    if not values or total <= 0:
        return 0.0
    weighted = sum((2 * n - len(values) - 1) * value for n, value in enumerate(sorted(values), 1))
    return weighted / (len(values) * total)


def fair_shares(online_hours: Mapping[int, float], capacity: Mapping[int, int]) -> dict[int, float]:
    """The share of the talks each agent would have by time online and places; they sum to 1. Empty when nobody was."""
    weights = {agent: online_hours[agent] * capacity.get(agent, 1) for agent in online_hours}
    total = sum(weights.values())
    return {agent: weight / total for agent, weight in weights.items()} if total else {}


def told_fairness(spread: float, loaded: str | None, spared: str | None) -> str:
    """One sentence for the supervisor. ``spread``: the Gini coefficient of talks per fair share."""
    if spread < 0.1:
        return "按在线时长和接待位来看，大家接得很均匀。"
    who = "、".join(
        part for part in (f"{loaded}接得偏多" if loaded else "", f"{spared}接得偏少" if spared else "") if part
    )
    return f"按在线时长和接待位来看，分配{'略有' if spread < 0.25 else '明显'}不均：{who or '差别在几位同事之间'}。"
