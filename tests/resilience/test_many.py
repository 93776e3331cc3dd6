"""The scale-out profile and its deaths: two brains, two action servers, two web processes behind nginx, two workers (web
processes nginx does not know), PostgreSQL, Redis, RabbitMQ. One of each is killed with -9 in turn while customers talk:
nothing acknowledged is lost, doubled or reordered.

``ZHIKE_CHAOS=whole`` has 300 talks; else 40 talks lose a web process and a brain.
"""

import logging
import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, select

from core import db
from helpdesk.conversations.models import Conversation, Message
from tests.resilience.conftest import ANSWER_SECONDS, engine_of, until
from tests.services import fresh_database
from tests.stack import ROOT, Stack, free_port, stack

log = logging.getLogger(__name__)
WHOLE = os.environ.get("ZHIKE_CHAOS") == "whole"
TALKS, AT_ONCE = (300, 60) if WHOLE else (40, 20)
VICTIMS = ("web", "brain", "worker", "actions") if WHOLE else ("web", "brain")
LINES = ("在吗", "退货运费谁出", "有没有会员日", "谢谢你")
CONF = ROOT / "deploy" / "nginx" / "zhike.conf"


@dataclass
class Site:
    """Everything, by name of the process; customers reach ``url``."""

    url: str
    stacks: dict[str, Stack]
    engine: Engine
    refused: list[str] = field(default_factory=list)  # sends that were not acknowledged and were tried again

    def dies(self, what: str) -> None:
        """The first of a kind is killed, stays away for a moment and comes back."""
        made = self.stacks[f"{what}-1"]
        name = "web" if what == "worker" else what
        made.kill(name)
        made.start(name)


def beside(first: Stack, *names: str, **settings: str) -> Stack:
    """More processes of the same system, on ports of their own."""
    ports = {f"ZHIKE_{name}": str(free_port()) for name in ("PORT", "BRAIN_PORT", "ACTIONS_PORT")}
    if "web" in names:
        ports = {"ZHIKE_PORT": ports["ZHIKE_PORT"]}
    return replace(first, environment={**first.environment, **ports, **settings}, processes={}, only={})


@contextmanager
def nginx(folder: Path, webs: list[Stack]) -> Iterator[str]:
    """nginx with the file that is shipped, but for names, ports and certificates; where it listens."""
    port = free_port()
    told = CONF.read_text()
    upstreams = "".join(f"server 127.0.0.1:{web.port('web')} max_fails=3 fail_timeout=1s;" for web in webs)
    told = re.sub(r"(server web-\d:8000[^;]*;\s*)+", upstreams, told)
    told = re.sub(r"listen 443 ssl;", f"listen 127.0.0.1:{port};", told)
    told = re.sub(r"(?m)^\s*(ssl_|add_header Strict).*$", "", told).split("server {\n    listen 80;")[0]
    told = told.replace("/var/log/nginx/access.log", str(folder / "access.log"))
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        f"events {{ worker_connections 2000; }} http {{ {temporary} {told} }}"
    )
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _healthy(url), "nginx")
        yield url
    finally:
        process.terminate()
        process.wait()


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def site(postgres_url: str, redis_url: str, rabbitmq_url: str, tmp_path: Path) -> Iterator[Site]:
    """All of it."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed here (apt: nginx); .ci/run installs it")
    with ExitStack() as made:
        settings = {
            "ZHIKE_DATABASE_URL": made.enter_context(fresh_database(postgres_url, "zhike_many")),
            "ZHIKE_REDIS_URL": redis_url,
            "ZHIKE_RABBITMQ_URL": rabbitmq_url,
            "ZHIKE_TURN_LEASE_SECONDS": "8",
            "ZHIKE_BRAIN_PATIENCE_SECONDS": "600",
            "ZHIKE_TRUSTED_PROXIES": "1",
        }
        first = made.enter_context(stack(**settings))
        brains = [beside(first, "brain") for _ in range(2)]
        hands = [beside(first, "actions") for _ in range(2)]
        for brain, own in zip(brains, hands, strict=True):
            brain.environment["ZHIKE_ACTIONS_URL"] = f"http://127.0.0.1:{own.port('actions')}"
        urls = ",".join(f"http://127.0.0.1:{brain.port('brain')}" for brain in brains)
        webs = [beside(first, "web", ZHIKE_BRAIN_URLS=urls) for _ in range(4)]
        for each in (*brains, *hands, *webs):
            made.callback(each.stop)
        for name, group in (("actions", hands), ("brain", brains), ("web", webs)):
            for one in group:
                one.launch(name)
        for name, group in (("actions", hands), ("brain", brains), ("web", webs)):
            for one in group:
                one.await_ready(name)
        engine = engine_of(first)
        made.callback(engine.dispose)
        url = made.enter_context(nginx(tmp_path, webs[:2]))
        stacks = {
            **{f"web-{n}": each for n, each in enumerate(webs[:2], 1)},
            **{f"worker-{n}": each for n, each in enumerate(webs[2:], 1)},
            **{f"brain-{n}": each for n, each in enumerate(brains, 1)},
            **{f"actions-{n}": each for n, each in enumerate(hands, 1)},
        }
        yield Site(url, stacks, engine)


class Talk:
    """A customer, who tries again with the same id until a line is acknowledged."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._http = httpx.Client(base_url=f"{site.url}/api/v1", timeout=20, trust_env=False)
        made = self._again("POST", "/conversations", json={"channel": "web"})
        self.id = made["id"]
        self._http.headers["Authorization"] = f"Bearer {made['token']}"
        self.acknowledged: list[str] = []

    def _again(self, method: str, path: str, **more: object) -> dict[str, object]:
        end = time.monotonic() + ANSWER_SECONDS * 2
        while True:
            try:
                told = self._http.request(method, path, **more)  # type: ignore[arg-type]
                if told.status_code < 500:
                    return dict(told.raise_for_status().json())
                problem = str(told.status_code)
            except httpx.TransportError as error:
                problem = type(error).__name__
            self._site.refused.append(problem)
            assert time.monotonic() < end, problem
            threading.Event().wait(0.2)

    def says(self, text: str) -> float:
        """A line, until the bot has answered it; the seconds from its sending."""
        begun = time.monotonic()
        body = {"client_message_id": uuid.uuid4().hex, "text": text}
        seq = int(str(self._again("POST", f"/conversations/{self.id}/messages", json=body)["seq"]))
        self.acknowledged.append(text)
        end = time.monotonic() + ANSWER_SECONDS * 2
        while time.monotonic() < end:
            told = self._again("GET", f"/conversations/{self.id}/messages", params={"after": seq, "wait": 5})
            if any(line["sender"] == "bot" for line in told["messages"]):  # type: ignore[attr-defined]
                return time.monotonic() - begun
        raise AssertionError(f"{text} was not answered")

    def whole(self, number: int) -> "Talk":
        """Says all there is to say."""
        for line in LINES:
            self.says(f"{line}{'！' * (number % 3)}")
        return self


def havoc(site: Site, over: threading.Event) -> None:
    """One of each dies, spread over the talks."""
    for n, victim in enumerate(VICTIMS, 1):
        while _done(site) < TALKS * len(LINES) * n // (len(VICTIMS) + 1) and not over.wait(0.2):
            pass
        log.info("killing %s", victim)
        site.dies(victim)


def _done(site: Site) -> int:
    with db.reading(site.engine) as session:
        return len(session.scalars(select(Message.seq).where(Message.sender == "customer")).all())


@pytest.mark.timeout(900)
def test_one_of_each_dies_and_nothing_acknowledged_is_lost_doubled_or_reordered(site: Site) -> None:
    over = threading.Event()
    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        trouble = pool.submit(havoc, site, over)
        try:
            talks = list(pool.map(lambda n: Talk(site).whole(n), range(TALKS)))
        finally:
            over.set()
        trouble.result()
    with db.reading(site.engine) as session:
        for talk in talks:
            lines = session.scalars(
                select(Message).where(Message.conversation_id == talk.id).order_by(Message.seq)
            ).all()
            assert [line.seq for line in lines] == list(range(1, len(lines) + 1)), "no number is missing"
            assert [line.text for line in lines if line.sender == "customer"] == talk.acknowledged, "once, in order"
            turns = [line.turn_id for line in lines if line.turn_id]
            assert len(dict.fromkeys(turns)) == len(LINES), "a turn for each line"
            answers = [(line.turn_id, line.text) for line in lines if line.turn_id]
            assert len(answers) == len(set(answers)), "no answer twice"
            assert session.get_one(Conversation, talk.id).waiting_since is None
    log.info("%s talks, %s requests tried again", len(talks), len(site.refused))
