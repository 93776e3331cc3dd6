"""Starts all processes, waits until they are ready, keeps them running, and stops them together.

A process that dies is started again (with a growing pause), so that a crash costs seconds; see docs/adr/0003 for why
this is ours: order, readiness and restart in one foreground command, with nothing to install.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from cli import processes
from core import settings

READY_SECONDS = 180
STOP_SECONDS = 10
PAUSE_LEAST_SECONDS, PAUSE_MOST_SECONDS = 0.5, 30
STEADY_SECONDS = 60  # up for so long: its next death is a new matter


class Supervisor:
    """The processes of one ``zhike up``."""

    def __init__(self) -> None:
        self.environment = processes.environment()
        self._logs = Path(self.environment["ZHIKE_VAR_DIR"]) / "logs"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._begun: dict[str, float] = {}
        self._stopping = threading.Event()

    def start(self, name: str) -> None:
        """Starts one; its output goes to var/logs/<name>.log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        command, environment = processes.command(name, self.environment)
        with (self._logs / f"{name}.log").open("ab") as log:
            self._begun[name] = time.monotonic()
            self._running[name] = subprocess.Popen(
                command, cwd=processes.ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait_ready(self) -> str | None:
        """None once all answer; otherwise what does not."""
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(processes.ORDER)
        while waiting and not self._stopping.is_set():
            for name in list(waiting):
                if processes.is_up(name, self.environment):
                    waiting.remove(name)
                elif self._running[name].poll() is not None:
                    return f"{name} ended at its start; see {self._log_name(name)}"
            if time.monotonic() > deadline:
                return (
                    f"{', '.join(waiting)} did not become ready in {READY_SECONDS} s; see {self._log_name(waiting[0])}"
                )
            self._stopping.wait(0.3)
        return None

    def _log_name(self, name: str) -> str:
        return f"{self._logs / name}.log"

    def watch(self) -> None:
        """Restarts what dies until told to stop."""
        pauses = dict.fromkeys(processes.ORDER, PAUSE_LEAST_SECONDS)
        due: dict[str, float] = {}  # when what has died is started again
        while not self._stopping.wait(0.2):
            now = time.monotonic()
            for name, process in list(self._running.items()):
                if process.poll() is None:
                    if now - self._begun[name] > STEADY_SECONDS:
                        pauses[name] = PAUSE_LEAST_SECONDS
                elif name not in due:
                    print(f"zhike: {name} ended ({process.returncode}), starting it again", file=sys.stderr, flush=True)
                    self._kill(process)  # children of a killed leader hold its port
                    due[name] = now + pauses[name]
                    pauses[name] = min(pauses[name] * 2, PAUSE_MOST_SECONDS)
                elif now >= due[name]:
                    del due[name]
                    self.start(name)

    def stop(self, *_: Any) -> None:
        """Ends the watching."""
        self._stopping.set()

    def end_all(self) -> None:
        """Asks all to end; after ten seconds makes them."""
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._kill(process)

    @staticmethod
    def _kill(process: "subprocess.Popen[bytes]") -> None:
        """The process with all its children."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def port_taken() -> str | None:
    """One line when a port is in use, with the mend."""
    import socket

    chosen = settings.load()
    for name, port in (
        ("PORT", chosen.port),
        ("ZHIKE_BRAIN_PORT", chosen.brain_port),
        ("ZHIKE_ACTIONS_PORT", chosen.actions_port),
    ):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((chosen.host if name == "PORT" else "127.0.0.1", port))
            except OSError:
                return f"port {port} is in use – stop what uses it, or choose another: {name}={port + 10} make run"
    return None


def serve() -> int:
    """Runs until stopped; the exit status."""
    taken = port_taken()
    if taken:
        print(f"zhike: {taken}", file=sys.stderr)
        return 1
    supervisor = Supervisor()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, supervisor.stop)
    begun = time.monotonic()
    print("zhike: starting …", flush=True)
    try:
        for name in processes.ORDER:
            supervisor.start(name)
        problem = supervisor.wait_ready()
        if problem:
            print(f"zhike: {problem}", file=sys.stderr)
            return 1
        if not supervisor._stopping.is_set():
            print(welcome(time.monotonic() - begun), flush=True)
            threading.Thread(
                target=learn_new_words, args=(supervisor.environment,), name="training", daemon=True
            ).start()
        supervisor.watch()
    finally:
        supervisor.end_all()
    return 0


def learn_new_words(environment: Mapping[str, str]) -> None:
    """Trains beside the running system when only phrases have changed; the brain takes the model when it is no worse."""
    from cli import training

    if training.is_trained():
        return
    print("zhike: phrases have changed; training beside the running system (some minutes) …", flush=True)
    command = ["nice", "-n", "10", sys.executable, "-m", "cli.main", "nlu", "train"]
    done = subprocess.run(
        command, cwd=processes.ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    told = (done.stdout or done.stderr).strip().splitlines()
    print(f"zhike: {told[-1] if told else 'training was stopped; it begins again at the next start'}", flush=True)


def welcome(seconds: float) -> str:
    """The addresses."""
    from cli.setup import DEMO_PASSWORD

    chosen = settings.load()
    base = f"http://{chosen.host}:{chosen.port}"
    with suppress(httpx.HTTPError):
        httpx.get(f"{base}/", timeout=5, trust_env=False)  # the first page is warm
    lines = [
        f"\nready in {seconds:.0f} s",
        f"  customer page   {base}/",
        f"  agent desk      {base}/desk",
        f"  help centre     {base}/help",
        f"  administration  {base}/admin",
        f"  API             {base}/api/openapi.json",
    ]
    if chosen.demo:
        lines.append(
            f"  demo agents     xiaolin, xiaozhou, xiaohe (agents), laochen (supervisor), admin; password {DEMO_PASSWORD}"
        )
    return "\n".join([*lines, "  Ctrl-C stops it all"])
