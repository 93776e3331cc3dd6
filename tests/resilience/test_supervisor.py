"""``zhike up`` starts again what dies – with stand-ins for the processes, so that this takes no time."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import processes, up
from tests.resilience.conftest import until

STARTS = "import sys, pathlib; open(sys.argv[1], 'a').write('x')"
STAYS = f"{STARTS}; import subprocess; child = subprocess.Popen(['sleep', '300']); "
STAYS += "pathlib.Path(sys.argv[1] + '.child').write_text(str(child.pid)); child.wait()"


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[up.Supervisor]:
    """Keeps two: a brain that falls over at once, and a web process with a child."""
    code = {"brain": STARTS, "web": STAYS}
    monkeypatch.setattr(processes, "ORDER", ("brain", "web"))
    monkeypatch.setattr(processes, "environment", lambda: {**os.environ, "ZHIKE_VAR_DIR": str(tmp_path)})
    monkeypatch.setattr(
        processes, "command", lambda name, env: ([sys.executable, "-c", code[name], str(tmp_path / name)], dict(env))
    )
    monkeypatch.setattr(up, "PAUSE_LEAST_SECONDS", 0.05)
    made = up.Supervisor()
    for name in ("brain", "web"):
        made.start(name)
    watching = threading.Thread(target=made.watch)
    watching.start()
    yield made
    made.stop()
    watching.join()
    made.end_all()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _starts(path: Path) -> int:
    return len(_read(path))


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_what_dies_is_up_again_at_once_though_another_keeps_falling_over(
    supervisor: up.Supervisor, tmp_path: Path
) -> None:
    until(lambda: _starts(tmp_path / "brain") >= 6, "the brain falls over again and again", 30)
    child = int(until(lambda: _read(tmp_path / "web.child"), "the web process is up", 30))
    falls = _starts(tmp_path / "brain")

    os.kill(supervisor._running["web"].pid, signal.SIGKILL)  # the leader only: its child would keep the port

    until(lambda: _starts(tmp_path / "web") == 2, "it is up again", 30)
    assert not _alive(child)
    assert _starts(tmp_path / "brain") - falls <= 2  # whose pause grows meanwhile and holds up nobody
