"""Starts the real processes for tests: a fresh database, the action server and the brain, on free loopback ports."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Stack:
    """Processes by name, and the environment they share."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    only: dict[str, dict[str, str]] = field(default_factory=dict)  # what one process is told otherwise

    def port(self, name: str) -> int:
        """The port of ``web``, ``brain`` or ``actions``."""
        return int(
            self.environment[{"web": "ZHIKE_PORT", "brain": "ZHIKE_BRAIN_PORT", "actions": "ZHIKE_ACTIONS_PORT"}[name]]
        )

    def log(self, name: str) -> str:
        """What a process wrote so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start(self, name: str) -> None:
        """Starts a process and waits until it is ready."""
        self.launch(name)
        self.await_ready(name)

    def launch(self, name: str) -> None:
        """Starts a process."""
        from cli import processes

        command, more = processes.command(name, {**self.environment, **self.only.get(name, {})})
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=more, stdout=log, stderr=log, start_new_session=True
            )

    def await_ready(self, name: str) -> None:
        """Waits until a started process answers."""
        from cli import processes

        deadline = time.monotonic() + START_SECONDS
        while not processes.is_up(name, self.environment):
            if self.processes[name].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{self.log(name)[-3000:]}")
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        """kill -9, with all its children."""
        process = self.processes.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends all."""
        for name in list(self.processes):
            self.kill(name)


@contextmanager
def stack(*names: str, **settings: str) -> Iterator[Stack]:
    """A migrated, empty database and these processes, ended at the end."""
    with tempfile.TemporaryDirectory(prefix="zhike-test-") as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "ZHIKE_VAR_DIR": str(folder),
            "ZHIKE_DATABASE_URL": "",
            "ZHIKE_PORT": str(free_port()),
            "ZHIKE_BRAIN_PORT": str(free_port()),
            "ZHIKE_ACTIONS_PORT": str(free_port()),
            "ZHIKE_INTERNAL_SECRET": secrets.token_hex(16),
            "ZHIKE_CUSTOMER_TOKEN_SECRET": secrets.token_hex(32),
            "ZHIKE_SECRET_KEY": secrets.token_hex(16),
            "ZHIKE_TALKS_PER_ADDRESS": "100000/minute",
            "ZHIKE_MESSAGES_PER_TALK": "1000/10 seconds",
            "ZHIKE_SIGN_INS_FAILED": "1000/minute",
            "ZHIKE_DEMO": "false",
            "ZHIKE_WEB_THREADS": "60",
            **settings,
        }
        made = Stack(folder, environment)
        subprocess.run([sys.executable, "-m", "cli.main", "db", "upgrade"], cwd=ROOT, env=environment, check=True)
        try:
            for process in names:
                made.start(process)
            yield made
        finally:
            made.stop()


def get_json(url: str) -> dict[str, object]:
    """A GET's JSON."""
    return dict(httpx.get(url, timeout=5, trust_env=False).json())
