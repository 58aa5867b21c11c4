"""Bytes to a server and answers back, without a client that would correct them."""

import email.parser
import socket

import harness


class RawAnswer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


class RawConnection:
    def __init__(self, port, seconds=harness.DEADLINE_SECONDS):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._unread = b""

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _receive(self):
        """False at the end of what the server sends, also where it ends by a reset."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._unread += data
        return bool(data)

    def answer(self, without_body=False):
        """The next answer; None if the server closed instead."""
        while b"\r\n\r\n" not in self._unread:
            if not self._receive():
                if self._unread:
                    raise AssertionError(f"closed within an answer: {self._unread!r}")
                return None
        head, self._unread = self._unread.split(b"\r\n\r\n", 1)
        status_line, _, lines = head.decode("latin-1").partition("\r\n")
        version, status, _ = status_line.split(" ", 2)
        if version != "HTTP/1.1":
            raise AssertionError(f"no answer: {status_line!r}")
        headers = email.parser.Parser().parsestr(lines)
        size = 0 if without_body else int(headers.get("Content-Length", 0))
        while len(self._unread) < size:
            if not self._receive():
                raise AssertionError(f"closed within the body of {status_line!r}")
        body, self._unread = self._unread[:size], self._unread[size:]
        return RawAnswer(int(status), headers, body)

    def is_closed_by_server(self):
        """Waits for the end; false if something else comes, or nothing until the deadline."""
        try:
            while not self._unread and self._receive():
                pass
        except TimeoutError:
            return False
        return not self._unread

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
