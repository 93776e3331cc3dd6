"""A customer and an agent in the browser, by what they do."""

import re

from playwright.sync_api import Locator, Page, expect

from cli.setup import DEMO_PASSWORD


class Customer:
    """Someone on the chat page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(self.lines.first).to_be_visible()

    @property
    def lines(self) -> Locator:
        """All lines."""
        return self.page.get_by_test_id("message")

    @property
    def answers(self) -> Locator:
        """Lines that are not the customer's."""
        return self.page.locator('[data-testid="message"]:not([data-sender="customer"])')

    def signs_in_as(self, customer_id: int) -> None:
        """Through the demo's chooser."""
        self.page.get_by_test_id("signin-open").click()
        self.page.locator(f'[data-testid="signin-customer"][data-id="{customer_id}"]').click()
        expect(self.lines.first).to_contain_text(re.compile("您|好"))
        expect(self.lines).to_have_count(1)

    def says(self, text: str) -> Locator:
        """Writes a line, waits for an answer, gives the newest one."""
        before = self.answers.count()
        self.page.get_by_test_id("composer").fill(text)
        self.page.get_by_test_id("send").click()
        expect(self.answers.nth(before)).to_be_visible()
        return self.answers.last

    def writes(self, text: str) -> None:
        """Writes a line without waiting."""
        self.page.get_by_test_id("composer").fill(text)
        self.page.get_by_test_id("send").click()
        expect(self.lines.last).to_contain_text(text)

    def chooses(self, title: str) -> Locator:
        """Clicks the newest quick reply with this title and waits for an answer."""
        before = self.answers.count()
        self.page.get_by_test_id("quick-reply").get_by_text(title, exact=True).last.click()
        expect(self.answers.nth(before)).to_be_visible()
        return self.answers.last


def _field(page: Page, name: str) -> Locator:
    found = page.get_by_test_id(name)
    inner = found.locator("input, textarea")
    return inner if inner.count() else found


class Agent:
    """Someone at the desk."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.name = ""

    def signs_in(self, name: str, state: str = "online", password: str = DEMO_PASSWORD) -> None:
        """With the demo's password, and is there."""
        expect(self.page.get_by_test_id("login-submit")).to_be_visible()
        self.name = name
        _field(self.page, "login-name").fill(name)
        _field(self.page, "login-password").fill(password)
        self.page.get_by_test_id("login-submit").click()
        self.goes(state)

    def goes(self, state: str) -> None:
        """Online or busy."""
        self.page.get_by_test_id("presence").click()
        self.page.get_by_test_id(f"presence-{state}").click()
        expect(self.page.get_by_test_id("presence")).to_contain_text({"online": "在线", "busy": "忙碌"}[state])

    def opens_the_new_one(self) -> None:
        """The talk the system has just given."""
        new = self.page.locator('[data-testid="talk-item"][data-kind="new"]').first
        talk = self.page.locator(f'[data-id="{new.get_attribute("data-id")}"]')
        expect(talk).to_have_count(1)  # it has left the queue above, and the list no longer moves
        talk.click()
        expect(self.page.get_by_test_id("composer")).to_be_visible()

    @property
    def lines(self) -> Locator:
        """The open talk's lines."""
        return self.page.get_by_test_id("message")

    def writes(self, text: str) -> None:
        """To the customer."""
        _field(self.page, "composer").fill(text)
        self.page.get_by_test_id("send").click()
        expect(self.lines.last).to_contain_text(text)

    def notes(self, text: str) -> None:
        """A private note."""
        self.page.get_by_test_id("note-toggle").click()
        self.writes(text)
        self.page.get_by_test_id("note-toggle").click()

    def finishes(self) -> None:
        """With the first reason."""
        self.page.get_by_test_id("close-talk").click()
        self.page.get_by_test_id("close-reason").first.click()
        self.page.get_by_test_id("close-confirm").click()
        expect(self.page.get_by_test_id("close-confirm")).to_be_hidden()

    def drops_a_picture(self, how: str) -> None:
        """On the composer: ``paste`` or ``drop``."""
        self.page.get_by_test_id("composer").evaluate(
            """async (element, how) => {
                const canvas = Object.assign(document.createElement('canvas'), { width: 60, height: 40 })
                canvas.getContext('2d').fillRect(0, 0, 60, 40)
                const blob = await new Promise((done) => canvas.toBlob(done))
                const data = new DataTransfer()
                data.items.add(new File([blob], `${how}.png`, { type: 'image/png' }))
                const given = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data }
                element.dispatchEvent(how === 'paste' ? new ClipboardEvent(how, given) : new DragEvent(how, given))
            }""",
            how,
        )
