"""WeChat's callback under load: how long until a message is stored, committed and acknowledged, with the brain busy.

    PYTHONPATH=. .venv/bin/python -m scripts.bench_wechat [--rate 100] [--seconds 20]

Web, brain and actions on SQLite, on loopback; every message is a turn for the brain. Signed and encrypted as the platform does
it; 300 users in the middle of their talks. First nearly no call is held for a passive answer (``ZHIKE_WECHAT_WAITING=1``), so that the times are those of
storing alone; then as many as is usual. The baseline of the same run is the same call once a second, with the brain idle. The
calls are sealed before the run and sent over plain sockets, for the sender runs on the same cores: what it takes of them is
printed with the rest. Part of ``make bench``.
"""

import argparse
import asyncio
import itertools
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from channels.wechat_sim import Platform, new_aes_key
from channels.wechat_sim.delivery import Delivery, Envelope
from tests.stack import Stack, free_port, stack
from tests.wechat.account import connect

USERS = 300
ANSWER_SECONDS = 30
SAID = ("退货运费谁出", "在吗", "查一下我的订单", "发票怎么开", "几天能到", "我要投诉", "空调不制冷了", "有优惠吗")


@dataclass
class Seen:
    """Seconds until the answer, by what it was."""

    empty: list[float] = field(default_factory=list)
    passive: list[float] = field(default_factory=list)
    failed: int = 0
    own_cores: float = 0.0  # what sending and playing the platform took


class Sender:
    """Calls the account as the platform does, each time over a new connection."""

    def __init__(self, platform: Platform, url: str) -> None:
        self._platform, self._where = platform, urlsplit(url)
        self._envelope = Envelope(platform.account)
        self._numbers = itertools.count()

    def sealed(self, in_seconds: float) -> bytes:
        """The call of a message that the next user writes so soon."""
        number = next(self._numbers)
        user = self._platform.user(f"oBench{number % USERS:022d}")
        msg_id = str(self._platform.next_msg_id())
        fields = {
            "ToUserName": self._platform.account.name,
            "FromUserName": user.openid,
            "CreateTime": int(time.time() + in_seconds),
            "MsgType": "text",
            "Content": f"{SAID[number % len(SAID)]} {number}",
            "MsgId": msg_id,
        }
        query, body = self._envelope.seal(Delivery(user.openid, msg_id, False, fields))
        head = (
            f"POST {self._where.path}?{query} HTTP/1.1\r\nHost: {self._where.netloc}\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body

    async def call(self, call: bytes, seen: Seen) -> None:
        """One call, and what came of it."""
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(self._where.hostname, self._where.port)
                writer.write(call)
                told = await reader.read()
                writer.close()
        except OSError:  # also the time-out
            seen.failed += 1
            return
        took = time.perf_counter() - begun
        head, _, body = told.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            seen.failed += 1
        elif body == b"success":
            seen.empty.append(took)
        else:
            seen.passive.append(took)


async def send(sender: Sender, rate: float, seconds: float) -> Seen:
    """So many a second, whether answered or not."""
    sealed = [sender.sealed(n / rate) for n in range(int(rate * seconds))]
    seen, begun, own, calls = Seen(), time.perf_counter(), time.process_time(), []
    for n, call in enumerate(sealed):
        await asyncio.sleep(max(0.0, begun + n / rate - time.perf_counter()))
        calls.append(asyncio.create_task(sender.call(call, seen)))
    await asyncio.gather(*calls)
    seen.own_cores = (time.process_time() - own) / (time.perf_counter() - begun)
    return seen


def percentile(times: list[float], share: float) -> float:
    """In milliseconds; 0 for none."""
    return 1000 * sorted(times)[int(share * (len(times) - 1))] if times else 0.0


def unanswered(made: Stack) -> int:
    """Talks whose turn is still to come."""
    with closing(sqlite3.connect(made.folder / "zhike.db")) as database:
        asked = "SELECT count(*) FROM conversations WHERE state = 'bot' AND answered_seq < last_seq"
        return int(database.execute(asked).fetchone()[0])


def run(waiting: int, rate: float, seconds: float) -> tuple[Seen, Seen]:
    """The baseline and the load."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/channels/wechat/bench"
    with (
        stack(ZHIKE_PORT=str(port), ZHIKE_WECHAT_WAITING=str(waiting), ZHIKE_WEB_THREADS="120") as made,
        Platform(url, "wxbench0000000000", "benchtoken", new_aes_key()) as platform,
    ):
        for name in ("actions", "brain", "web"):
            made.start(name)
        connect(made, platform, urlsplit(url).path.rsplit("/", 1)[1])
        sender = Sender(platform, url)
        asyncio.run(send(sender, 15, USERS / 15))  # everybody's first message
        while unanswered(made):
            time.sleep(0.5)
        return asyncio.run(send(sender, 1, 10)), asyncio.run(send(sender, rate, seconds))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    print(f"{'':44}{'p50 ms':>9}{'p95 ms':>9}{'calls':>8}")
    for waiting in (1, 40):
        idle, busy = run(waiting, chosen.rate, chosen.seconds)
        for name, seen in (("once a second", idle), (f"{chosen.rate:.0f} a second", busy)):
            for kind, times in (("empty success", seen.empty), ("passive answer", seen.passive)):
                told = f"at most {waiting} held, {name}: {kind}"
                print(f"{told:44}{percentile(times, 0.5):>9.0f}{percentile(times, 0.95):>9.0f}{len(times):>8}")
        print(f"{'':6}not answered: {idle.failed + busy.failed}; sender and stand-in took {busy.own_cores:.2f} cores")


if __name__ == "__main__":
    main()
