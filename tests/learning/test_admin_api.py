"""What the administration's page asks for, over HTTP: who may, what is told, what is refused."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from core import clock, db
from helpdesk.staff import usecases as staff
from helpdesk.staff.models import Agent
from tests.learning.people import collected
from web.app import create_app

API = "/api/v1/admin/learning"
READS = ("/groups", "/intents", "/trainings")
WRITES = {
    "/assign": {"intent": "faq", "phrases": [{"text": "豆豆"}]},
    "/dismiss": {"ids": [1]},
    "/reopen": {"ids": [1]},
    "/trainings": {},
    "/rollback": {},
}


class Signed:
    """A signed-in member of staff."""

    def __init__(self, client: FlaskClient, who: Agent) -> None:
        with db.writing() as session:
            _, token = staff.sign_in(session, who.id, clock.now())
        self._client, self._headers = client, {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        """A GET."""
        return self._client.get(API + path, headers=self._headers)

    def post(self, path: str, body: Any) -> Any:
        """A POST."""
        sent = json.dumps(body)  # halves of characters as escapes, as browsers send them
        return self._client.post(API + path, data=sent, headers=self._headers, content_type="application/json")


@pytest.fixture
def client(engine) -> FlaskClient:
    """The application."""
    return create_app().test_client()


@pytest.fixture
def teaches(client, editor) -> Signed:
    """An editor at the page."""
    return Signed(client, editor)


def test_the_page_is_for_editors_and_admins(client, agent, admin):
    stranger, boss = Signed(client, agent), Signed(client, admin)
    for answer in [*(stranger.get(path) for path in READS), *(stranger.post(*call) for call in WRITES.items())]:
        assert answer.status_code == 403
        assert "管理员" in answer.json["detail"]
    for path in READS:
        assert boss.get(path).status_code == 200
        assert client.get(API + path).status_code == 401
    assert collected() == []


def test_groups_tell_what_the_bot_read_and_what_was_meant(teaches, talk):
    talk.unclear("豆豆攒了几颗", intent="query_coupon")
    talk.unclear("豆豆攒了几颗啦", intent="query_coupon")
    talk.read("查积分", intent="query_points", decision="answer")
    told = teaches.get("/groups").json
    (group,) = told["groups"]
    assert (group["count"], group["suggested"], told["counts"]["open"]) == (2, "query_points", 2)
    newest = group["messages"][0]
    assert newest["intent_label"] == "查优惠券"
    assert newest["confidence"] == 0.21
    assert newest["hint"] == "客户选的意思：查积分"
    assert newest["why_label"] == "客户自己选了"


def test_all_intents_can_be_chosen(teaches):
    intents = teaches.get("/intents").json["intents"]
    assert len(intents) == 46
    assert {"name": "query_points", "label": "查积分"} in intents


def test_assigned_trained_once_and_told(teaches):
    assert teaches.post("/trainings", {}).status_code == 409
    body = {"intent": "faq", "phrases": [{"text": "豆豆还剩几颗"}, {"text": "豆豆攒了没"}]}
    assert teaches.post("/assign", body).json == {"assigned": 2}
    asked = teaches.post("/trainings", {})
    assert asked.status_code == 202
    assert asked.json["training"]["step_label"] == "排队中"
    assert teaches.post("/trainings", {}).json["code"] == "training"
    told = teaches.get("/trainings").json
    assert (len(told["trainings"]), told["assigned"], told["back_to"], told["may_roll_back"]) == (1, 2, None, False)


def test_only_an_admin_takes_back_and_only_what_there_is(client, teaches, admin):
    assert teaches.post("/rollback", {}).status_code == 403
    refused = Signed(client, admin).post("/rollback", {})
    assert (refused.status_code, refused.json["code"]) == (409, "no_model")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"intent": "faq", "phrases": []},
        {"intent": "no_such", "phrases": [{"text": "豆豆"}]},
        {"intent": "faq", "phrases": [{"text": ""}]},
        {"intent": "faq", "phrases": [{"id": -1, "text": "豆豆"}]},
        {"intent": "faq", "phrases": [{"id": "1", "text": "豆豆"}]},
        {"intent": "faq", "phrases": ["豆豆"]},
        {"intent": "faq", "phrases": [{"text": "豆豆"}] * 501},
        {"intent": "faq", "phrases": [{"text": "\u200b"}]},
        {"intent": "f\0aq", "phrases": [{"text": "豆豆"}]},
    ],
)
def test_what_makes_no_sense_is_refused(teaches, body):
    answer = teaches.post("/assign", body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert collected() == []


def test_half_a_character_does_no_harm(teaches):
    answer = teaches.post("/assign", {"intent": "faq", "phrases": [{"text": "豆豆\ud83d还剩几颗\0"}]})
    assert answer.status_code == 200
    assert collected()[0].text == "豆豆还剩几颗"


def test_unknown_messages_are_not_found(teaches):
    assert teaches.post("/dismiss", {"ids": [4711]}).status_code == 404
    assert teaches.get("/groups?state=nonsense").status_code == 422
