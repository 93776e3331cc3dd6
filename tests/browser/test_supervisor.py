"""A supervisor with one minute, in a real browser: what is going on, listening in, whispering, taking over, hours, a wall screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from helpdesk.routing.models import OpeningHours, SpecialDay
from helpdesk.staff.models import Agent
from tests.browser.people import _field
from tests.stack import Stack, stack
from tests.web.brain import StandInBrain
from tests.web.people import PASSWORD, Site


@pytest.fixture(scope="module")
def _site() -> Iterator[Site]:
    with stack(ZHIKE_PRESENCE_TIMEOUT_SECONDS="600", ZHIKE_PICK_UP_SECONDS="600") as made:
        brain = StandInBrain(made.port("brain"))
        made.start("web")
        yield Site(made, brain)
        brain.stop()


@pytest.fixture(scope="module")
def demo(_site: Site) -> Stack:
    """Where the pages are."""
    return _site.stack


@pytest.fixture
def site(_site: Site) -> Iterator[Site]:
    """The site; afterwards nobody is there and nobody waits."""
    yield _site
    _site.nobody_waits()
    _site.change(Agent, presence="offline")
    _site.clear(OpeningHours)
    _site.clear(SpecialDay)


def signs_in(page: Page, record: Agent) -> Page:
    """With name and password."""
    _field(page, "login-name").fill(record.name)
    _field(page, "login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    return page


@pytest.fixture
def boss(site: Site) -> Agent:
    """A supervisor who has not signed in yet."""
    record: Agent = site.agent_record(role="supervisor", presence="offline", display_name="老陈")
    return record


def test_the_board_says_at_a_glance_who_waits_and_who_is_there(site, boss, page, picture):
    site.agent(capacity=1, display_name="小林")
    served = site.visitor().asks_for_a_person()
    served.wait_for(lambda t: t["state"] == "with_agent")
    site.visitor().asks_for_a_person()
    wall = signs_in(page("/supervisor", 1366, 768), boss)
    expect(wall.get_by_test_id("waiting")).to_contain_text("1")
    expect(wall.locator('[data-testid="agent-row"]').filter(has_text="小林")).to_contain_text("在线")
    picture(wall, "supervisor-1-board")
    site.visitor().asks_for_a_person()
    expect(wall.get_by_test_id("waiting")).to_contain_text("2")
    wall.keyboard.press("w")
    expect(wall.get_by_test_id("wall-waiting")).to_contain_text("2")
    wall.set_viewport_size({"width": 1920, "height": 1080})
    picture(wall, "supervisor-2-wall")
    wall.keyboard.press("Escape")
    expect(wall.get_by_test_id("wall")).to_be_hidden()
    wall.set_viewport_size({"width": 390, "height": 844})
    picture(wall, "supervisor-3-phone")


def test_listening_in_whispering_and_taking_over(site, boss, page, picture):
    agent = site.agent(display_name="小周")
    visitor = site.visitor().asks_for_a_person()
    visitor.wait_for(lambda t: t["state"] == "with_agent")
    agent.takes(visitor)
    desk = signs_in(page("/supervisor#talks", 1366, 768), boss)
    desk.locator(f'[data-testid="talk-row"][data-id="{visitor.id}"]').click()
    agent.writes(visitor, "您好，我帮您看一下").raise_for_status()
    expect(desk.get_by_test_id("talk-panel")).to_contain_text("我帮您看一下")
    desk.get_by_test_id("whisper").locator("textarea").or_(desk.locator('textarea[data-testid="whisper"]')).fill(
        "运费可以免"
    )
    desk.get_by_test_id("whisper-send").click()
    expect(desk.get_by_test_id("talk-panel")).to_contain_text("运费可以免")
    assert "运费可以免" in [m["text"] for m in agent.sees(visitor)["messages"]]
    assert "运费可以免" not in visitor.texts()
    picture(desk, "supervisor-4-listening")
    desk.get_by_test_id("take-over").click()
    desk.get_by_role("button", name="接管", exact=True).last.click()
    told = visitor.wait_for(lambda t: (t["agent"] or {}).get("name") == "老陈")
    assert told["state"] == "with_agent"


def test_hours_set_here_are_told_to_customers_at_once(site, boss, page, picture):
    desk = signs_in(page("/supervisor#hours", 1366, 768), boss)
    expect(desk.get_by_test_id("hours-status")).to_be_visible()
    picture(desk, "supervisor-5-hours")
    desk.get_by_test_id("hours-always").click()
    for kind in ("workday", "weekend", "holiday"):
        desk.get_by_test_id(f"hours-{kind}").get_by_test_id("span-open").select_option("休息")
    desk.get_by_test_id("hours-save").click()
    expect(desk.get_by_test_id("hours-status")).to_contain_text("休息")
    told = site.visitor().asks_for_a_person().look()
    assert "休息时间" in told["messages"][-1]["text"]


def test_an_agent_is_told_kindly_that_this_is_not_the_place(site, page):
    desk = signs_in(page("/supervisor", 1366, 768), site.agent_record(presence="offline"))
    expect(desk.get_by_test_id("forbidden")).to_be_visible()
    expect(desk.get_by_test_id("to-desk")).to_be_visible()


def test_assignments_show_their_reasons_and_replay_to_the_same(site, boss, page, picture):
    for name in ("小林", "小周"):
        site.agent(display_name=name)
    visitors = [site.visitor().asks_for_a_person() for _ in range(4)]
    for visitor in visitors:
        visitor.wait_for(lambda t: t["state"] == "with_agent")
    desk = signs_in(page("/supervisor#assignments", 1366, 768), boss)
    expect(desk.get_by_test_id("assignment-row").first).to_be_visible()
    expect(desk.locator('[data-testid="replay"][data-agrees="false"]')).to_have_count(0)
    expect(desk.get_by_test_id("fairness-told")).to_be_visible()
    picture(desk, "supervisor-6-assignments")
    desk.keyboard.press("6")
    expect(desk.get_by_test_id("chart-talks")).to_be_visible()
    picture(desk, "supervisor-7-trends")
