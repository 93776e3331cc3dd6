"""How good the distribution is, measured on a service in virtual time: the same rules that serve real customers, seeded.

One skill against the textbook (Erlang C); several skills beside two plain ways to distribute; a whole day with the wait
customers are told beside the wait they had. ``--quick``: fewer talks, under 40 seconds.
"""

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpdesk.conversations.rules import HandoverReason, urgency
from helpdesk.routing.hours import Now
from helpdesk.routing.queue import Picture
from helpdesk.routing.rules import Seat, in_order
from helpdesk.staff.rules import SKILL_OF_INTENT
from scripts import service_simulation as simulation
from scripts.service_simulation import BEGIN, NO_END, Policy, Service, Talk, moment, quantile, table

SEED = 20261122
HANDLING = 300.0  # mean seconds of a talk for a middling agent
PROMPT = 20.0  # seconds: a wait up to this counts as within the service level
BATCHES, STUDENT = 20, 2.093  # 97.5 % point of Student's t for as many batches
WARM_UP = 0.05  # share of the talks

LEVELS = {"normal": 0.70, "silver": 0.18, "gold": 0.09, "platinum": 0.03}
REASONS = {HandoverReason.REQUESTED: 0.80, HandoverReason.NOT_UNDERSTOOD: 0.15, HandoverReason.ANGRY_COMPLAINT: 0.05}
WISHES = {
    "query_order": 0.27,
    "track_logistics": 0.22,
    "return_goods": 0.19,
    "request_repair": 0.14,
    "complaint": 0.11,
    "enterprise_purchase": 0.07,
}


def seeded(*what: object) -> Random:
    """Chance that is the same in every run."""
    return Random(f"{SEED} {what}")


# --- one skill: Erlang C ---


def erlang_c(agents: int, offered: float, handling_seconds: float) -> tuple[float, float]:
    """Mean wait in seconds and the share waiting up to PROMPT, for ``offered`` erlangs (fewer than agents).

    By the recursion of Erlang B, which neither overflows nor subtracts what is nearly equal.
    """
    lost = 1.0
    for number in range(1, agents + 1):
        lost = offered * lost / (number + offered * lost)
    waits = lost / (1 - offered / agents * (1 - lost))
    drain = (agents - offered) / handling_seconds
    return waits / drain, 1 - waits * math.exp(-drain * PROMPT)


def interval(values: list[float]) -> tuple[float, float]:
    """The mean and half the width of its 95 % confidence interval, by batch means (neighbours in time depend)."""
    size = len(values) // BATCHES
    means = [statistics.fmean(values[n * size : (n + 1) * size]) for n in range(BATCHES)]
    return statistics.fmean(means), STUDENT * statistics.stdev(means) / math.sqrt(BATCHES)


def poisson(number: int, agents: int, load: float) -> Iterator[Talk]:
    """Talks of one skill that come at random and take exponential times."""
    chance, at = seeded("one skill", agents, load), 0.0
    for n in range(number):
        at += chance.expovariate(load * agents / HANDLING)
        yield Talk(str(n), at, chance.expovariate(1 / HANDLING), "orders")


def one_skill(number: int, agents: int, load: float) -> list[list[str]]:
    """Two rows: mean wait and service level."""
    waits: list[float] = []
    seats = [Seat(n, 1, 0, BEGIN, {"orders": 3}) for n in range(1, agents + 1)]
    Service(seats, poisson(number, agents, load), simulation.ours, lambda _, wait: waits.append(wait)).run()
    kept = waits[int(number * WARM_UP) :]
    wait, level = erlang_c(agents, agents * load, HANDLING)
    begin = [f"{agents} agents, load {load:.2f}", f"{len(kept):,}"]
    seconds, prompt = interval(kept), interval([float(w <= PROMPT) for w in kept])
    return [
        [
            *begin,
            "mean wait s",
            f"{seconds[0]:.2f}",
            f"±{seconds[1]:.2f}",
            f"{wait:.2f}",
            f"{seconds[0] / wait - 1:+.1%}",
        ],
        [*begin, "≤ 20 s %", f"{prompt[0]:.2%}", f"±{prompt[1]:.2%}", f"{level:.2%}", f"{prompt[0] / level - 1:+.1%}"],
    ]


def against_erlang(scale: float) -> None:
    """Prints the first table."""
    runs = [(800_000, 12, 0.85), (200_000, 12, 0.70), (200_000, 4, 0.60)]
    rows = [row for number, agents, load in runs for row in one_skill(int(number * scale), agents, load)]
    heads = ["one skill, capacity 1", "talks", "", "simulated", "95 %", "Erlang C", "deviation"]
    table("1. Against the textbook (M/M/c, first come first served)", heads, rows)


# --- several skills: beside plain distributions ---


def drawn(chance: Random, shares: dict[str, float]) -> str:
    """One of them."""
    return chance.choices(list(shares), list(shares.values()))[0]


def customer(chance: Random, number: int, at: float, patience: float = NO_END) -> Talk:
    """A customer with a wish, a level, and sometimes anger; requests are of very unequal length (log-normal)."""
    level, wish = drawn(chance, LEVELS), drawn(chance, WISHES)
    reason = chance.choices(list(REASONS), list(REASONS.values()))[0]
    points = sum(points for _, points in urgency(reason, level, intents=[wish]))
    work = chance.lognormvariate(math.log(HANDLING) - 0.8**2 / 2, 0.8)
    return Talk(str(number), at, work, SKILL_OF_INTENT[wish], points, level, patience)


def team(size: int, capacity: int) -> list[Seat]:
    """Agents with one to three skills each, about as many for each as the customers wish."""
    chance, seats = seeded("team", size), []
    demand = {SKILL_OF_INTENT[wish]: share for wish, share in WISHES.items()}
    first = [skill for skill, share in demand.items() for _ in range(round(share * size))]
    for n in range(1, size + 1):
        skills = {first[n % len(first)]: chance.randint(2, 5)}
        while len(skills) < 1 + (n % 3):
            skills.setdefault(drawn(chance, demand), chance.randint(1, 5))
        seats.append(Seat(n, capacity, 0, BEGIN, skills))
    return seats


def steady(number: int, agents: int, capacity: int, load: float) -> Iterator[Talk]:
    """Customers of all kinds at an even rate, for agents who work at all their places."""
    chance, at = seeded("steady", capacity), 0.0
    places = capacity / (1 + simulation.SLOWED * (capacity - 1))
    for n in range(number):
        at += chance.expovariate(load * agents * places / HANDLING)
        yield customer(chance, n, at)


@dataclass
class Waits:
    """What customers had to wait, by their level."""

    seconds: list[float] = field(default_factory=list)
    longest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0.0))

    def taken(self, talk: Talk, wait: float) -> None:
        """Notes one."""
        self.seconds.append(wait)
        self.longest[talk.level] = max(self.longest[talk.level], wait)

    def cells(self) -> list[str]:
        """Mean, 95th percentile, service level, longest by level."""
        prompt = sum(wait <= PROMPT for wait in self.seconds) / len(self.seconds)
        return [
            f"{statistics.fmean(self.seconds):.1f}",
            f"{quantile(self.seconds, 0.95):.0f}",
            f"{prompt:.1%}",
            *(f"{wait:.0f}" for wait in self.longest.values()),
        ]


def several_skills(number: int, capacity: int, load: float, policy: Policy) -> list[str]:
    """One row."""
    waits = Waits()
    service = Service(team(30, capacity), steady(number, 30, capacity, load), policy, waits.taken)
    service.run()
    desks = list(service.desks.values())
    work = simulation.gini([desk.talk_seconds for desk in desks])
    talks = simulation.gini([desk.talks for desk in desks])
    return [*waits.cells(), f"{work:.3f}", f"{talks:.3f}", f"{service.handled_seconds / service.ended:.0f}"]


def beside_plain(scale: float) -> None:
    """Prints the second tables."""
    heads = [
        "",
        "mean s",
        "p95 s",
        "≤ 20 s",
        *(f"max {level}" for level in LEVELS),
        "Gini time",
        "Gini talks",
        "talk s",
    ]
    policies: dict[str, Callable[[], Policy]] = {
        "ours": lambda: simulation.ours,
        "longest idle": lambda: simulation.longest_idle,
        "round robin": simulation.round_robin,
    }
    for capacity, load in ((1, 0.85), (5, 0.95)):
        number = int(100_000 * scale)
        rows = [[name, *several_skills(number, capacity, load, make())] for name, make in policies.items()]
        told = f"30 agents with 1–3 of 6 skills, capacity {capacity}, load {load:.2f}, {number:,} talks each"
        table(f"2. Beside plain distributions: {told}", heads, rows)


# --- a day: the wait told ---

DAY = 86_400.0
OPENS, CLOSES = 9, 21
CURVE = [0.5, 0.9, 1.1, 0.8, 0.7, 1.0, 1.2, 1.1, 0.8, 0.9, 1.3, 0.9]  # customers in each hour, around the mean
PATIENCE = 600.0  # mean seconds; some have none, some have much


def day_arrivals(days: int, per_hour: float) -> Iterator[Talk]:
    """Customers along the curve of each day, by thinning an even stream."""
    chance, number, most = seeded("day"), count(), max(CURVE)
    for day in range(days):
        at = day * DAY + OPENS * 3600
        while (at := at + chance.expovariate(per_hour * most / 3600)) < day * DAY + CLOSES * 3600:
            if chance.random() * most < CURVE[int(at % DAY / 3600) - OPENS]:
                yield customer(chance, next(number), at, chance.expovariate(1 / PATIENCE))


def roster(service: Service, days: int) -> None:
    """Early and late shifts, a break of 45 minutes each, and now and then a connection that is lost for five minutes."""
    chance = seeded("roster")
    for day in range(days):
        for agent_id in service.desks:
            begin = day * DAY + 3600 * (OPENS if agent_id % 2 else CLOSES - 8) + chance.uniform(-300, 300)
            pause = begin + 3600 * chance.uniform(3, 5)
            lost = begin + 3600 * chance.uniform(1, 7)
            for when, do in (
                (begin, service.sign_in),
                (pause, service.step_out),
                (pause + 2700, service.sign_in),
                (begin + 3600 * 8, service.step_out),
            ):
                service.at(when, do, agent_id)
            if chance.random() < 0.1 and not pause - 300 < lost < pause + 2700:
                service.at(lost, service.drop_off, agent_id)
                service.at(lost + 300, service.sign_in, agent_id)


@dataclass
class Told:
    """The wait told at arrival, and two simple things one could tell instead: the mean so far, and the last one's."""

    waits: Waits = field(default_factory=Waits)
    total: float = 0.0
    lost: int = 0
    told: dict[str, dict[str, float | None]] = field(default_factory=dict)
    errors: list[tuple[float, dict[str, float]]] = field(default_factory=list)  # wait, error of each

    def queued(self, service: Service, talk: Talk) -> None:
        """As helpdesk/routing/usecases.py tells a newcomer."""
        order = in_order(service.waiting.values(), moment(service.now))
        picture = Picture(order, service.seats(), service.handling_seconds(), Now(True, None, ""))
        seconds = self.waits.seconds
        self.told[talk.id] = {
            "ours": picture.place(talk.id)["estimated_wait_seconds"],
            "mean so far": self.total / len(seconds) if seconds else 0.0,
            "the last one's": seconds[-1] if seconds else 0.0,
        }

    def taken(self, talk: Talk, wait: float) -> None:
        """Compares, for the first wait of each talk."""
        self.waits.taken(talk, wait)
        self.total += wait
        told = self.told.pop(talk.id, {})
        if told.get("ours") is not None:
            self.errors.append((wait, {name: abs((value or 0.0) - wait) for name, value in told.items()}))

    def gave_up(self, talk: Talk) -> None:
        """Counts one."""
        self.lost += 1
        del self.told[talk.id]


def days(scale: float) -> None:
    """Prints the third tables."""
    number, told = max(2, round(20 * scale)), Told()
    service = Service(
        team(24, 3), day_arrivals(number, 290), simulation.ours, told.taken, told.queued, told.gave_up, present=False
    )  # fmt: skip
    roster(service, number)
    service.run()
    rows = []
    for whom, least in (("all", -1.0), ("who had to wait", 1.0)):
        counted = [errors for wait, errors in told.errors if wait > least]
        for name in counted[0]:
            errors = [error[name] for error in counted]
            rows.append(
                [
                    f"{whom}: {name}",
                    f"{len(errors):,}",
                    f"{quantile(errors, 0.5):.0f}",
                    f"{statistics.fmean(errors):.0f}",
                ]
            )
    told_days = f"{number} days, 24 agents in two shifts, capacity 3, breaks, lost connections, impatience"
    table(f"3. The wait told at arrival: {told_days}", ["error of the wait told", "talks", "median s", "mean s"], rows)
    gave_up = f"{told.lost / (told.lost + len(told.errors)):.1%}"
    heads = ["", "mean s", "p95 s", "≤ 20 s", *(f"max {level}" for level in LEVELS), "gave up", "decisions/s"]
    speed = f"{service.decisions / service.deciding_seconds:,.0f}"
    table("   The same days", heads, [["ours", *told.waits.cells(), gave_up, speed]])


def main(scale: float = 1.0) -> None:
    """Prints all tables; ``scale``: share of the talks."""
    begun = time.perf_counter()
    against_erlang(scale)
    beside_plain(scale)
    days(scale)
    print(f"\n{time.perf_counter() - begun:.0f} s\n")


if __name__ == "__main__":
    main(0.1 if "--quick" in sys.argv[1:] else 1.0)
