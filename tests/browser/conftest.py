"""Browser tests: a real Chromium against the running demo shop, customer and agent side by side."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine

from core.db import make_engine
from tests.stack import ROOT, Stack, stack

CHROMIUM = next((p for p in ("chromium", "chromium-browser", "google-chrome") if shutil.which(p)), None)
expect.set_options(timeout=20_000)  # as long as for anything else that is awaited on a page
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = Path(os.environ.get("ZHIKE_TEST_PICTURES", ROOT / "var" / "pictures"))


@pytest.fixture(scope="session")
def demo() -> Iterator[Stack]:
    """The demo shop, all processes."""
    with stack(ZHIKE_DEMO="true") as made:
        command = [sys.executable, "-m", "cli.main", "demo", "load"]
        subprocess.run(command, cwd=ROOT, env=made.environment, check=True, stdout=subprocess.DEVNULL)
        for name in ("actions", "brain", "web"):
            made.start(name)
        yield made


@pytest.fixture(scope="session")
def records(demo: Stack) -> Engine:
    """The demo shop's database, to look at."""
    return make_engine(f"sqlite:///{demo.folder / 'zhike.db'}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; install Debian's package 'chromium'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, demo: Stack) -> Iterator[Callable[..., Page]]:
    """Opens a page of its own visitor: ``page("/", width=390, height=844)``. No page may log an error; that another was
    faster (409) is none, the page tells it in words."""
    opened = []
    complaints: list[str] = []
    quiet = re.compile(r"ERR_|status of 409")

    def open_page(path: str, width: int = 390, height: int = 844) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        context.set_default_timeout(20_000)
        made = context.new_page()
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on(
            "console", lambda m: complaints.append(m.text) if m.type == "error" and not quiet.search(m.text) else None
        )
        made.goto(f"http://127.0.0.1:{demo.port('web')}{path}")
        opened.append(context)
        return made

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a screenshot to look at (var/pictures)."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def take(made: Page, name: str) -> None:
        made.screenshot(path=PICTURES / f"{name}.png")

    return take
