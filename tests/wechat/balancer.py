"""Stands before several web processes as a proxy does: each connection goes to one that is there."""

import random
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress


class Balancer:
    """Relays ``port`` to any of the ports. A connection whose process is killed breaks."""

    def __init__(self, to_ports: Sequence[int], seed: int) -> None:
        self._to = to_ports
        self._random = random.Random(seed)
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """The end."""
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(here,), daemon=True).start()

    def _join(self, here: socket.socket) -> None:
        for port in self._random.sample(self._to, len(self._to)):
            with suppress(OSError):
                there = socket.create_connection(("127.0.0.1", port), timeout=5)
                there.settimeout(None)
                threading.Thread(target=_relay, args=(there, here), daemon=True).start()
                _relay(here, there)
                return
        here.close()


def _relay(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
