"""Clients of live streams: many at once on one thread, each over a raw socket, with what it received and whether it reads.

They read as the specification says (WHATWG HTML §9.2.6), and keep what a browser would: events whose block is complete, and the
last id of a complete block, also of one without data. What came half is lost with its connection.
"""

import base64
import json
import selectors
import socket
import threading
import time


def positions_of(token, topic_hashes):
    """{(topic, partition): position} of a position token; `topic_hashes` says which topic a hash stands for."""
    version, _, text = token.partition(".")
    if version != "1":
        raise ValueError(f"not a token: {token!r}")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    at = 16

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    positions = {}
    for _ in range(varint()):
        topic = topic_hashes[int.from_bytes(data[at:at + 4], "little")]
        at += 4
        partition = varint()
        positions[topic, partition] = varint()
    if at != len(data):
        raise ValueError(f"bytes behind the token {token!r}")
    return positions


class Stream:
    """One client, over all its connections."""

    def __init__(self, target, headers=None):
        self.target = target
        self.headers = dict(headers or {})
        self.events = []  # (id of the block, parsed data)
        self.first_id = None
        self.last_id = None
        self.statuses = []  # of each connection
        self.ends = []  # "whole": with the last chunk; "cut": without
        self.reads = True
        self.socket = None
        self.connect_at = 0.0

    def request(self, port):
        lines = [f"GET {self.target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
        if self.last_id:
            lines.append(f"Last-Event-ID: {self.last_id}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def begin(self):
        self._head = b""
        self._chunked = b""
        self._body = b""
        self.is_whole = False

    def feed(self, data):
        """Takes bytes of the connection."""
        if self._head is not None:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            head, data = self._head.split(b"\r\n\r\n", 1)
            self.statuses.append(int(head.split(b" ", 2)[1]))
            self._head = None
        self._chunked += data
        while b"\r\n" in self._chunked:
            size_line, rest = self._chunked.split(b"\r\n", 1)
            size = int(size_line, 16)
            if len(rest) < size + 2:
                break
            self._body += rest[:size]
            self._chunked = rest[size + 2:]
            if size == 0:
                self.is_whole = True
        *blocks, self._body = self._body.split(b"\n\n")
        for block in blocks:
            self._take(block.decode())

    def _take(self, block):
        data = []
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "id":
                self.last_id = value
                self.first_id = self.first_id or value
            elif name == "data":
                data.append(value)
        if data:
            self.events.append((self.last_id, json.loads("\n".join(data))))


class Streams(threading.Thread):
    """Keeps streams connected to a port until it is closed; connects again behind the last id, as browsers do."""

    RETRY_SECONDS = 0.05

    def __init__(self, port, streams):
        super().__init__(daemon=True)
        self.port = port
        self.streams = streams
        self._selector = selectors.DefaultSelector()
        self._closing = False
        self.problem = None

    def run(self):
        try:
            while not self._closing:
                now = time.monotonic()
                for stream in self.streams:
                    if stream.socket is None and stream.connect_at <= now:
                        self._connect(stream)
                for key, _ in self._selector.select(0.02):
                    if key.data.reads:
                        self._read(key.data)
        except Exception as error:  # pylint: disable=broad-except; told by close()
            self.problem = error
        for stream in self.streams:
            self._drop(stream)

    def _connect(self, stream):
        stream.begin()
        try:
            stream.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            stream.socket.sendall(stream.request(self.port))
            stream.socket.setblocking(False)
        except OSError:
            self._drop(stream, registered=False)
            return
        self._selector.register(stream.socket, selectors.EVENT_READ, stream)

    def _read(self, stream):
        try:
            data = stream.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            stream.feed(data)
        else:
            stream.ends.append("whole" if stream.is_whole else "cut")
            self._drop(stream)

    def _drop(self, stream, registered=True):
        if stream.socket is not None:
            if registered:
                self._selector.unregister(stream.socket)
            stream.socket.close()
        stream.socket = None
        stream.connect_at = time.monotonic() + self.RETRY_SECONDS

    def close(self):
        self._closing = True
        self.join(30)
        if self.problem:
            raise self.problem

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()
