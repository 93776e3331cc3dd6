"""Customers and agents as their programs speak to the API, and a site on which they meet."""

import itertools
import json
import ssl
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from typing import Any

import httpx
from sqlalchemy import Engine, delete, update

from core import clock, db
from core.ids import new_token, token_hash
from crm.customers.access import visitor_token
from crm.customers.models import Customer
from helpdesk.conversations.models import Conversation
from helpdesk.staff.models import Agent, AgentSession, AgentSkill
from helpdesk.staff.usecases import hash_password
from tests.shop import Shop
from tests.stack import Stack
from tests.web.brain import StandInBrain

_count = itertools.count(1)
NO_TLS = ssl.create_default_context()  # one for all: making it is slow
PASSWORD = "correct horse 电池"
WAIT_SECONDS = 20


def new_key() -> str:
    """A client_message_id."""
    return uuid.uuid4().hex


def at_once[T](*calls: Callable[[], T]) -> list[T]:
    """Makes all calls at the same time; their results in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def assert_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The response is a problem with Chinese words made to be shown, and gives nothing away."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    for part in ("title", "detail"):
        assert any("\u4e00" <= c <= "\u9fff" for c in told[part]), told
        words = [w for w in told[part].replace("(", " ").split() if w.isascii() and w.isalpha() and w not in {"JSON"}]
        assert len(words) < 3, f"an English sentence: {told[part]}"
    assert "Traceback" not in response.text
    assert 'File "' not in response.text
    if status == 429:
        assert int(response.headers["Retry-After"]) >= 1
    return told


class Caller:
    """Somebody with a token who calls the API."""

    def __init__(self, site: "Site", prefix: str, token: str | None = None) -> None:
        headers = {"X-Forwarded-For": f"10.{next(_count) // 250 % 250}.0.{next(_count) % 250}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
            site.kept_quiet.add(token)
        self.site = site
        self.token = token
        limits = httpx.Limits(max_connections=None)
        self.prefix = site.url + prefix
        self.http = httpx.Client(headers=headers, timeout=40, trust_env=False, limits=limits, verify=NO_TLS)

    def get(self, path: str, **query: Any) -> httpx.Response:
        """A GET."""
        return self.http.get(self.prefix + path, params=query or None)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """A POST of JSON."""
        sent = json.dumps({} if body is None else body)  # halves of characters as escapes, as browsers send them
        return self.http.post(self.prefix + path, content=sent, headers={"Content-Type": "application/json"})

    def put(self, path: str, body: Any) -> httpx.Response:
        """A PUT of JSON."""
        return self.http.put(self.prefix + path, json=body)


class Visitor(Caller):
    """A customer's program in a talk."""

    def __init__(self, site: "Site", customer: Customer | None = None, **opening: Any) -> None:
        super().__init__(site, "/api/v1/conversations")
        body: dict[str, Any] = {"channel": "web", **opening}
        if customer is not None:
            body["customer_token"] = site.customer_token(customer)
        self.opened = self.post("", body).raise_for_status()
        told = self.opened.json()
        self.id: str = told["id"]
        self.token = told["token"]
        self.messages: list[dict[str, Any]] = told["messages"]
        self.last_seq: int = told["messages"][-1]["seq"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        self.prefix = f"{self.prefix}/{self.id}"
        site.kept_quiet.add(told["token"])

    def says(self, text: str, key: str | None = None) -> httpx.Response:
        """Sends a line."""
        if len(text) >= 6:
            self.site.kept_quiet.add(text)
        return self.post("/messages", {"client_message_id": key or new_key(), "text": text})

    def said(self, text: str) -> int:
        """Sends a line; its seq."""
        return int(self.says(text).raise_for_status().json()["seq"])

    def look(self, after: int = 0, wait: int = 0) -> dict[str, Any]:
        """What the talk has after a seq."""
        return dict(self.get("/messages", after=after, wait=wait).raise_for_status().json())

    def lines(self, after: int = 0) -> list[dict[str, Any]]:
        """The lines after a seq."""
        return list(self.look(after)["messages"])

    def texts(self) -> list[str]:
        """All texts."""
        return [line["text"] for line in self.lines()]

    def wait_for(self, fits: Callable[[dict[str, Any]], bool], after: int = 0) -> dict[str, Any]:
        """Long-polls until the talk fits; what it was told then."""
        told = self.look(after)
        deadline = clock.now() + timedelta(seconds=WAIT_SECONDS)
        seen = max([after, *(line["seq"] for line in told["messages"])])
        while not fits(told):
            assert clock.now() < deadline, told
            self.look(seen, wait=1)
            told = self.look(after)
            seen = max([seen, *(line["seq"] for line in told["messages"])])
        return told

    def answer(self, after: int) -> str:
        """The bot's first text after a seq."""
        told = self.wait_for(lambda t: any(m["sender"] == "bot" for m in t["messages"]), after)
        return next(str(m["text"]) for m in told["messages"] if m["sender"] == "bot")

    def asks_for_a_person(self, **body: Any) -> "Visitor":
        """Into the queue."""
        assert self.post("/handoff", body).status_code == 202
        return self


class Staff(Caller):
    """An agent's program."""

    def __init__(self, site: "Site", agent: Agent, token: str) -> None:
        super().__init__(site, "/api/v1/agent", token)
        self.id, self.name, self.display_name = agent.id, agent.name, agent.display_name

    def talk(self, visitor: Visitor, path: str = "") -> str:
        """The address of a talk."""
        return f"/conversations/{visitor.id}{path}"

    def accepts(self, visitor: Visitor) -> httpx.Response:
        """Takes a talk."""
        return self.post(self.talk(visitor, "/accept"))

    def takes(self, visitor: Visitor) -> "Staff":
        """Takes a talk; it must work."""
        assert self.accepts(visitor).status_code == 200
        return self

    def writes(self, visitor: Visitor, text: str, **more: Any) -> httpx.Response:
        """Writes to the customer."""
        return self.post(self.talk(visitor, "/messages"), {"text": text, **more})

    def notes(self, visitor: Visitor, text: str) -> httpx.Response:
        """Leaves a private note."""
        return self.post(self.talk(visitor, "/notes"), {"text": text})

    def sees(self, visitor: Visitor) -> dict[str, Any]:
        """The whole talk."""
        return dict(self.get(self.talk(visitor)).raise_for_status().json())

    def listed(self, state: str) -> list[str]:
        """The ids of the talks in a list."""
        found = self.get("/conversations", state=state).raise_for_status().json()["conversations"]
        return [talk["id"] for talk in found]


class Site:
    """The running web process, with a stand-in for the brain."""

    def __init__(self, stack: Stack, brain: StandInBrain) -> None:
        self.stack, self.brain = stack, brain
        self.url = f"http://127.0.0.1:{stack.port('web')}"
        self.kept_quiet: set[str] = set()  # nothing of this may stand in the log

    @cached_property
    def engine(self) -> Engine:
        """The site's database."""
        return db.make_engine(f"sqlite:///{self.stack.folder / 'zhike.db'}")

    @cached_property
    def shop(self) -> Shop:
        """Makes records there."""
        return Shop(self.engine)

    def customer_token(self, customer: Customer) -> str:
        """As the shop's site signs it."""
        token = visitor_token(customer.id, self.stack.environment["ZHIKE_CUSTOMER_TOKEN_SECRET"], clock.now())
        self.kept_quiet.add(token)
        return token

    def visitor(self, customer: Customer | None = None, **opening: Any) -> Visitor:
        """A new talk."""
        return Visitor(self, customer, **opening)

    def caller(self, token: str | None = None) -> Caller:
        """Somebody at the root of the site."""
        return Caller(self, "", token)

    @cached_property
    def _password_hash(self) -> str:
        return hash_password(PASSWORD)

    def agent_record(self, **given: Any) -> Agent:
        """A member of staff who is not signed in."""
        n = next(_count)
        skills: dict[str, int] = given.pop("skills", {})
        values: dict[str, Any] = {
            "name": f"agent{n}",
            "display_name": f"坐席{n}号",
            "role": "agent",
            "password_hash": self._password_hash,
            "capacity": 5,
            "presence": "online",
            "seen_at": clock.now(),
            "created_at": clock.now(),
        }
        agent = Agent(**{**values, **given})
        agent.skills = [AgentSkill(skill=name, proficiency=level) for name, level in skills.items()]
        return self.shop.add(agent)

    def agent(self, **given: Any) -> Staff:
        """A signed-in agent, online unless told otherwise."""
        agent = self.agent_record(**given)
        token = new_token()
        now = clock.now()
        self.shop.add(
            AgentSession(
                token_hash=token_hash(token), agent_id=agent.id, created_at=now, expires_at=now + timedelta(hours=1)
            )
        )
        return Staff(self, agent, token)

    def change(self, table: Any, *where: Any, **values: Any) -> None:
        """Changes records behind the system's back."""
        with db.writing(self.engine) as session:
            session.execute(update(table).where(*where).values(**values))

    def clear(self, table: Any) -> None:
        """Empties a table."""
        with db.writing(self.engine) as session:
            session.execute(delete(table))

    def nobody_waits(self) -> None:
        """Ends all talks in the queue, and those that would come back to it."""
        self.change(Conversation, Conversation.state.in_(("queued", "with_agent")), state="closed")
