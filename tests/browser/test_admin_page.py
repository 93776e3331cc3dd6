"""The administration's page by itself: many messages, the keyboard alone, no network, what each role sees."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from cli.setup import DEMO_PASSWORD
from core import clock, db
from helpdesk.learning.models import Collected, Training
from helpdesk.staff import usecases as staff
from helpdesk.staff.rules import Role
from tests.browser.test_learning import choose_intent, sign_in
from tests.stack import Stack, stack


@pytest.fixture(scope="module")
def demo() -> Iterator[Stack]:
    """The web process alone."""
    with stack("web") as made:
        yield made


@pytest.fixture(scope="module")
def records(demo: Stack) -> Iterator[Engine]:
    """Its database, with an editor, an admin, and what a busy week leaves behind."""
    made = db.make_engine(f"sqlite:///{demo.folder / 'zhike.db'}")
    now = clock.now()
    with db.writing(made) as session:
        for role in (Role.EDITOR, Role.ADMIN):
            staff.add_agent(session, now, name=role.value, password=DEMO_PASSWORD, role=role, skills={})
        refused = Training(step="refused", phrases=400, reason="标准测试集上比现在少答对 9 条", asked_at=now, tries=1)
        session.add(refused)
        session.flush()
        for n in range(400):
            wish = chr(0x4E00 + 37 * n) + chr(0x4E00 + 41 * n) + chr(0x4E00 + 43 * n)
            row = {"why": "written", "created_at": now, "text": f"{wish}", "assigned_intent": "praise"}
            session.add(Collected(state="refused", training_id=refused.id, **row))
        for text in ("豆豆攒了几颗", "豆豆攒了多少颗", "咋申请那个票票"):
            row = {
                "why": "unsure",
                "created_at": now,
                "confidence": 0.21,
                "intent": "query_coupon",
                "decision": "confirm",
            }
            session.add(Collected(state="open", text=text, **row))
    yield made
    made.dispose()


def in_state(records: Engine, state: str) -> set[str]:
    """The texts in a state."""
    with Session(records) as session:
        return set(session.scalars(select(Collected.text).where(Collected.state == state)))


@pytest.fixture
def opened(page, records) -> Page:
    """An editor at the page."""
    made = page("/admin", 1366, 850)
    sign_in(made, "editor")
    expect(made.get_by_test_id("group").first).to_be_visible()
    return made


def test_hundreds_of_refused_phrases_are_shown_piece_by_piece_and_put_aside_at_once(opened, records, picture):
    opened.get_by_test_id("tab-refused").click()
    expect(opened.get_by_test_id("show-more")).to_be_visible()
    expect(opened.get_by_test_id("group")).to_have_count(20)
    opened.get_by_test_id("show-more").click()
    expect(opened.get_by_test_id("group")).to_have_count(40)
    expect(opened.get_by_test_id("training-reason")).to_contain_text("少答对 9 条")
    picture(opened, "admin-5-many")
    opened.get_by_test_id("dismiss-all").click()
    opened.get_by_role("dialog").get_by_role("button", name="全部忽略").click()
    expect(opened.get_by_test_id("tab-dismissed")).to_contain_text("400")
    assert in_state(records, "refused") == set()


def test_a_group_is_assigned_put_aside_and_found_again(opened, records):
    first = opened.get_by_test_id("group").first
    expect(first.get_by_test_id("group-count")).to_contain_text("2 条相近")
    expect(first.get_by_test_id("group-read")).to_contain_text("查优惠券（21% 把握）")
    first.get_by_role("checkbox").nth(1).focus()
    opened.keyboard.press("Space")  # only one of the two
    choose_intent(opened, "查积分")
    first.get_by_test_id("assign").focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_test_id("tab-assigned")).to_contain_text("1")
    assert in_state(records, "assigned") <= {"豆豆攒了几颗", "豆豆攒了多少颗"}
    last = opened.get_by_test_id("group").last
    said = last.get_by_test_id("group-example").text_content().strip("“” ")
    last.get_by_test_id("dismiss").click()
    opened.get_by_test_id("tab-dismissed").click()
    found = opened.get_by_test_id("group").filter(has_text=said)
    found.get_by_test_id("reopen").click()
    expect(found).to_have_count(0)
    assert said in in_state(records, "open")


def test_without_a_network_the_page_says_so_and_tries_again(opened):
    opened.context.set_offline(True)
    opened.get_by_test_id("tab-exported").click()
    expect(opened.get_by_test_id("error")).to_contain_text("网络")
    opened.context.set_offline(False)
    opened.get_by_test_id("error").get_by_role("button", name="重试").click()
    expect(opened.get_by_test_id("empty")).to_be_visible()


def test_training_asks_first_and_nothing_is_to_be_taken_back(opened):
    expect(opened.get_by_test_id("roll-back")).to_have_count(0)
    expect(opened.get_by_test_id("training").first).to_have_attribute("data-step", "refused")
    opened.get_by_test_id("write-text").fill("豆豆还剩几颗\n豆豆还剩几颗\n\n豆豆够不够换")
    expect(opened.get_by_test_id("write-assign")).to_contain_text("添加（2 条）")


def test_a_narrow_window_shows_all_of_it(page, records, picture):
    made = page("/admin", 390, 844)
    sign_in(made, "admin")
    expect(made.get_by_test_id("group").first).to_be_visible()
    expect(made.get_by_test_id("training").first).to_contain_text(re.compile("未通过"))
    assert made.evaluate("document.documentElement.scrollWidth") <= 390
    picture(made, "admin-6-narrow")
