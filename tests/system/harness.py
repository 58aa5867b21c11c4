"""Runs the real programs for the tests: servers and tools as child processes, HTTP over keep-alive connections.

Every wait is for a condition and has a deadline. Every child dies with the test, whatever happens to the test.
"""

import ctypes
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARIES = pathlib.Path(os.environ.get("LEFTFOLD_TEST_BINARIES",
                                       pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))
BANK = BINARIES / "bank"
DEADLINE_SECONDS = 60
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _environment():
    # A bank refuses variables of its prefix that are no setting of it.
    return {name: value for name, value in os.environ.items() if not name.startswith("LEFTFOLD_")}


def wait_until(condition, what, seconds=DEADLINE_SECONDS, pause=0.002):
    """Polls until `condition()` gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for: {what}")
        time.sleep(pause)


def die_with_parent():
    """For a child before it runs its program."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A child process whose output is read to the end by threads, so that it never waits for us."""

    def __init__(self, arguments, file_size_max=None, prepare=None):
        parent = os.getpid()

        def before_exec():
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)
            if file_size_max is not None:
                # Python ignores SIGXFSZ, and so does the child: a write beyond the limit is an error, not a death.
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_max, file_size_max))
            if prepare is not None:
                prepare()

        self.process = subprocess.Popen([str(each) for each in arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before_exec,
                                        restore_signals=False, env=_environment(), text=True)
        self._lines = {"stdout": [], "stderr": []}
        self._changed = threading.Condition()
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._lines]
        for reader in self._readers:
            reader.start()

    def _read(self, name):
        for line in getattr(self.process, name):
            with self._changed:
                self._lines[name].append(line)
                self._changed.notify_all()

    @property
    def stdout(self):
        return "".join(self._lines["stdout"])

    @property
    def stderr(self):
        return "".join(self._lines["stderr"])

    def wait_for_lines(self, count, seconds=DEADLINE_SECONDS):
        """The first `count` lines of standard output."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._lines["stdout"]) >= count, seconds):
                raise TimeoutError(f"waited {seconds} s for {count} lines of output, there are "
                                   f"{len(self._lines['stdout'])}\n{self.stdout[-2000:]}{self.stderr[-2000:]}")
            return self._lines["stdout"][:count]

    def wait(self, seconds=DEADLINE_SECONDS):
        """The exit code; what it printed is then complete."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        return code

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Server(Child):
    """`bank serve`. Ready to use once made, unless `wait_until_ready` is false."""

    def __init__(self, data, *arguments, port=0, wait_until_ready=True, **options):
        self.data = pathlib.Path(data)
        super().__init__([BANK, "serve", "--data", data, "--port", port, *arguments], **options)
        self.port = port
        if wait_until_ready:
            self.wait_until_ready()

    def wait_until_ready(self):
        def line():
            if self.process.poll() is not None:
                self.wait()
                raise RuntimeError(f"the bank ended with {self.process.returncode} at its start:\n{self.stderr}")
            return self.stdout

        found = re.search(r"serves http://[^ ]*:(\d+) ", wait_until(line, "the line in which the bank says its URL"))
        self.port = int(found.group(1))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self):
        return Client(self.port)

    def durable_end(self, topic="bank.account"):
        """How far its log has come, as it says itself: positions of all partitions summed; -1 while it does not answer."""
        try:
            with self.client() as client:
                text = client.get("/metrics").body.decode()
        except (OSError, http.client.HTTPException):
            return -1
        return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("leftfold_log_durable_end{") and f'topic="{topic}"' in line)

    def stop(self, number=signal.SIGTERM):
        """Asks it to end, and returns the exit code."""
        self.signal(number)
        return self.wait()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One keep-alive connection."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)

    def get(self, path, **headers):
        return self.request("GET", path, None, headers)

    def post(self, path, body, **headers):
        return self.request("POST", path, body if isinstance(body, (str, bytes)) else json.dumps(body), headers)

    def request(self, method, path, body, headers):
        """A header whose value is a list or tuple is sent once for each of its values."""
        body = body.encode() if isinstance(body, str) else body
        self._connection.putrequest(method, path)
        for name, values in headers.items():
            for value in values if isinstance(values, (list, tuple)) else [values]:
                self._connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            self._connection.putheader("Content-Length", str(len(body)))
        self._connection.endheaders(body)
        return Answer(self._connection.getresponse())

    def events(self, path):
        """All events of a stream, page by page."""
        events, link = [], f"{path}/events?limit=1000"
        while link:
            answer = self.get(link)
            if answer.status != 200:
                raise AssertionError(f"GET {link}: {answer.status} {answer.body!r}")
            events += answer.json
            found = re.fullmatch(r'<(.*)>; rel="next"', answer.headers.get("Link", ""))
            link = found.group(1) if found else None
        return events

    def open(self, account, opening_deposit="0.00", overdraft_limit="0.00"):
        answer = self.post(f"/accounts/{account}/open", {"owner": "somebody", "currency": "CZK",
                                                         "overdraft_limit": overdraft_limit,
                                                         "opening_deposit": opening_deposit})
        if answer.status != 201:
            raise AssertionError(f"open: {answer.status} {answer.body!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()


def run(*arguments, seconds=DEADLINE_SECONDS):
    """A tool, to its end: its exit code, standard output and standard error."""
    with Child(arguments) as child:
        code = child.wait(seconds)
        return code, child.stdout, child.stderr


def log_ends(data):
    """What `log info` says: {(topic, partition): position behind the last durable event}."""
    code, out, err = run(BANK, "log", "info", "--data", data)
    if code != 0:
        raise AssertionError(f"log info: exit code {code}: {err}")
    return {(topic["name"], partition): bounds["end"]
            for topic in json.loads(out)["topics"] for partition, bounds in enumerate(topic["partitions"])}


def problem_in(answer_headers, answer_body, status):
    """What is wrong with a problem document (RFC 9457); empty if nothing is."""
    if answer_headers.get("Content-Type") != "application/problem+json":
        return f"Content-Type is {answer_headers.get('Content-Type')}"
    try:
        document = json.loads(answer_body)
    except ValueError as error:
        return f"no JSON ({error}): {answer_body!r}"
    for member, kind in {"type": str, "title": str, "status": int}.items():
        if not isinstance(document.get(member), kind) or not document[member]:
            return f"no {member} in {document}"
    return "" if document["status"] == status else f"status {document['status']} in the body of a {status}"


class TestCase(unittest.TestCase):
    """With a temporary folder, `self.folder`, for each test."""

    maxDiff = 2000

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="leftfold-system-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.data = self.folder / "data"

    def serve(self, *arguments, **options):
        server = Server(self.data, *arguments, **options)
        self.addCleanup(server.kill)
        return server

    def start(self, *arguments, **options):
        child = Child(arguments, **options)
        self.addCleanup(child.kill)
        return child

    def client(self, server):
        client = server.client()
        self.addCleanup(client.__exit__)
        return client


def main():
    if not BANK.exists():
        sys.exit(f"{BANK} is missing: script/build, or LEFTFOLD_TEST_BINARIES")
    unittest.main(verbosity=2)
