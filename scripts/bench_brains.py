"""One and two brains behind one action server on PostgreSQL: turns a second, and what a turn costs.

    PYTHONPATH=. .venv/bin/python -m scripts.bench_brains [--talks 120]

The product's own model and actions; a talk stays with its brain, as web keeps it. The load runs on the same machine: with two
cores two brains share what one had almost to itself, so the processor time a turn is what tells whether they scale. Part of ``make bench``.
"""

import argparse
import asyncio
import os
import time
import uuid
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from core import clock, db
from helpdesk.conversations import usecases as conversations
from tests.resilience.test_many import beside
from tests.services import fresh_database, postgres_server
from tests.stack import Stack, stack

SAID = ("在吗", "退货运费谁出", "有没有会员日", "发票怎么开", "空调多久清洗一次", "谢谢你")
AT_ONCE = 16


def spent(brains: Sequence[Stack]) -> float:
    """Seconds of processor time the brains have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = [Path(f"/proc/{b.processes['brain'].pid}/stat").read_text().rpartition(")")[2].split() for b in brains]
    return sum(int(field[11]) + int(field[12]) for field in fields) / ticks


def opened(url: str, count: int) -> list[str]:
    """New talks, for the actions look at them."""
    with db.writing(db.make_engine(url)) as session:
        made = [
            conversations.open_conversation(session, clock.now(), channel="web", visitor_id=uuid.uuid4().hex)
            for _ in range(count)
        ]
        return [talk.id for talk, _ in made]


async def load(brains: Sequence[Stack], talks: int) -> int:
    """So many talks of six turns; the turns."""
    left = opened(brains[0].environment["ZHIKE_DATABASE_URL"], talks)
    headers = {"X-Zhike-Secret": brains[0].environment["ZHIKE_INTERNAL_SECRET"]}
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as http:

        async def one() -> None:
            while left:
                talk = left.pop()
                port = brains[zlib.crc32(talk.encode()) % len(brains)].port("brain")
                for text in SAID:
                    turn = {"conversation_id": talk, "turn_id": uuid.uuid4().hex, "text": text}
                    told = await http.post(f"http://127.0.0.1:{port}/webhooks/zhike/turn", json=turn)
                    told.raise_for_status()

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return talks * len(SAID)


def measured(brains: Sequence[Stack], talks: int) -> tuple[float, float]:
    """Turns a second, and the brains' processor milliseconds a turn."""
    asyncio.run(load(brains, len(brains) * 8))
    before, begun = spent(brains), time.perf_counter()
    turns = asyncio.run(load(brains, talks))
    took = time.perf_counter() - begun
    return turns / took, 1000 * (spent(brains) - before) / turns


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--talks", type=int, default=120)
    talks = parser.parse_args().talks
    with ExitStack() as made:
        url = made.enter_context(fresh_database(made.enter_context(postgres_server()), "zhike_bench"))
        first = made.enter_context(stack(ZHIKE_DATABASE_URL=url))
        brains = [beside(first, "brain", ZHIKE_ACTIONS_PORT=str(first.port("actions"))) for _ in range(2)]
        for brain in brains:
            made.callback(brain.stop)
            brain.launch("brain")
        first.start("actions")
        for brain in brains:
            brain.await_ready("brain")
        one, two = measured(brains[:1], talks), measured(brains, talks)
    print(f"{'':14}{'turns/s':>10}{'CPU ms/turn':>14}")
    print(f"{'one brain':14}{one[0]:>10.0f}{one[1]:>14.1f}")
    print(f"{'two brains':14}{two[0]:>10.0f}{two[1]:>14.1f}")
    print(f"{'two / one':14}{two[0] / one[0]:>10.2f}{two[1] / one[1]:>14.2f}")


if __name__ == "__main__":
    main()
