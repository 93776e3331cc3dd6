"""A network that fails: a TCP relay on loopback that can break all connections and refuse new ones for a while."""

import socket
import struct
import threading
from contextlib import suppress

RESET = struct.pack("ii", 1, 0)  # close with RST, in the middle of whatever is on its way


class Cutter:
    """Relays ``port`` to the web's port."""

    def __init__(self, to_port: int) -> None:
        self._to = to_port
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._cut = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Breaks everything; nobody gets through until :meth:`mend`."""
        self._cut.set()
        with self._lock:
            broken, self._open = self._open, set()
        for end in broken:
            _reset(end)

    def mend(self) -> None:
        """Lets new connections through."""
        self._cut.clear()

    def close(self) -> None:
        """Ends the relay."""
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            if self._cut.is_set():
                _reset(here)
                continue
            threading.Thread(target=self._join, args=(here,), daemon=True).start()

    def _join(self, here: socket.socket) -> None:
        try:
            there = socket.create_connection(("127.0.0.1", self._to), timeout=5)
        except OSError:
            _reset(here)
            return
        there.settimeout(None)
        with self._lock:
            self._open |= {here, there}
        back = threading.Thread(target=self._relay, args=(there, here), daemon=True)
        back.start()
        self._relay(here, there)

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        with self._lock:
            self._open -= {source, sink}


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()
