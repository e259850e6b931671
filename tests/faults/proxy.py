"""A TCP port in front of a server, which can be made to behave like a broken network or a broken server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

FORWARD = "forward"
REFUSE = "refuse"  # nobody listens
SILENT = "silent"  # connections are accepted, and nothing ever comes back
SLOW = "slow"  # every reply takes a second
GARBAGE = "garbage"  # replies are rubbish

SLOW_SECONDS = 1.0
RUBBISH = b"\x00\xffrubbish\r\n"


class Proxy:
    """Forwards to ``port`` of this machine, from ``self.port``, as its mode says."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.mode = FORWARD
        self._cut_at: bytes | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.port = 0
        self._listen()

    def behave(self, mode: str) -> None:
        """Drop every connection, and treat the next ones like ``mode``."""
        self.mode = mode
        if mode == REFUSE:
            self._deafen()
        elif self._listener is None:
            self._listen()
        self._drop_all()

    def cut_once(self, text: bytes) -> None:
        """Drop the next connection that sends ``text``, at that moment; all others work."""
        self._cut_at = text

    @property
    def is_cut_due(self) -> bool:
        """Whether ``cut_once`` still waits for its text."""
        return self._cut_at is not None

    def close(self) -> None:
        """Stop."""
        self._deafen()
        self._drop_all()

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _deafen(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            self._listener.close()
            self._listener = None

    def _drop_all(self) -> None:
        with self._lock:
            dropped, self._open = self._open, set()
        for one in dropped:
            _drop(one)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                self._keep(client)
                if self.mode != SILENT:
                    self._forward(client)

    def _forward(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            _drop(client)
            return
        self._keep(server)
        for pump in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _keep(self, one: socket.socket) -> None:
        with self._lock:
            self._open.add(one)

    def _pump(self, source: socket.socket, sink: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(self._passed(data) if is_request else self._replied(data))
        _drop(source)
        _drop(sink)

    def _passed(self, data: bytes) -> bytes:
        with self._lock:
            is_cut = self._cut_at is not None and self._cut_at in data
            if is_cut:
                self._cut_at = None
        if is_cut:
            raise ConnectionResetError
        return data

    def _replied(self, data: bytes) -> bytes:
        if self.mode == SLOW:
            time.sleep(SLOW_SECONDS)
        return RUBBISH if self.mode == GARBAGE else data


def _drop(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
