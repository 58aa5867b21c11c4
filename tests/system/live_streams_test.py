#!/usr/bin/env python3
"""Live streams over real sockets: no gap and no repeat through kills, slow readers cut off, a thousand idle ones that cost little."""

import http.client
import itertools
import pathlib
import random
import re
import signal
import socket
import sys
import threading
import time

import harness
import sse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "formats"))
import log_reader  # noqa: E402; reads the log by its documented format alone

TOPIC = "bank.account"
TOPIC_HASHES = {log_reader.crc32c(TOPIC.encode()): TOPIC}
ACCOUNTS = [f"a{number}" for number in range(12)]
KILLS = 10


class Collector(log_reader.PartitionReader):
    """The events of a partition, in order."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.events = []

    def add_to_digest(self, event):
        self.events.append(event)


def events_in_log(data):
    """{partition: [event]} as the files have them."""
    manifest = log_reader.read_manifest(str(data))
    found = {}
    for partition in range(manifest["topics"][TOPIC]):
        reader = Collector(str(data), manifest, TOPIC, partition)
        reader.run()
        found[partition] = reader.events
    return found


class Load(threading.Thread):
    """Opens and deposits until it is told to stop; a server that is gone comes again."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self._port, self._number = port, number
        self.stopping = False
        self.accepted = 0

    def run(self):
        dice = random.Random(self._number)
        client = None
        for index in itertools.count():
            if self.stopping:
                break
            account = dice.choice(ACCOUNTS)
            command, body = ("open", {"owner": "somebody", "currency": "CZK", "overdraft_limit": "0.00", "opening_deposit": "1.00"})
            if dice.random() < 0.9:
                command, body = "deposit", {"amount": "0.01"}
            try:
                client = client or harness.Client(self._port)
                answer = client.post(f"/accounts/{account}/{command}", body, Idempotency_Key=f"{self._number}-{index}")
                self.accepted += answer.status in (200, 201)
            except (OSError, http.client.HTTPException):
                client = client and client.__exit__()
                time.sleep(0.01)
        if client:
            client.__exit__()


def new_streams():
    """Two hundred clients of every kind, each with the test that its selection is."""
    streams = []
    for number in range(200):
        begin = "start" if number % 4 else "now"
        account = ACCOUNTS[number % len(ACCOUNTS)]
        kinds = [
            (f"/events?from={begin}", lambda event: True),
            (f"/events?topic={TOPIC}&type=bank.account.opened&from={begin}", lambda event: event["type"] == "bank.account.opened"),
            (f"/events?key={account}&from={begin}", lambda event, account=account: event["key"] == account),
            (f"/accounts/{account}/events?from={begin}", lambda event, account=account: event["key"] == account),
        ]
        target, selects = kinds[number // 4 % len(kinds)]
        stream = sse.Stream(target)
        stream.selects = selects
        streams.append(stream)
    return streams


class Kills(harness.TestCase):
    def test_200_clients_and_ten_kills_leave_no_gap_and_no_repeat(self):
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed: {seed}", file=sys.stderr)
        dice = random.Random(seed)
        settings = ("--http-stream-keep-alive", "200ms", "--data-segment-size", "256KiB")
        server = self.serve(*settings)
        streams = new_streams()
        with sse.Streams(server.port, streams) as clients:
            harness.wait_until(lambda: all(stream.first_id for stream in streams) or clients.problem, "200 streams")
            load = [Load(server.port, number) for number in range(8)]
            for each in load:
                each.start()
            for _ in range(KILLS):
                before = sum(each.accepted for each in load)
                wanted = dice.randrange(20, 200)
                harness.wait_until(lambda: sum(each.accepted for each in load) >= before + wanted, f"{wanted} more commands")
                server.kill()
                server = self.serve(*settings, port=server.port)
            for each in load:
                each.stopping = True
                each.join(harness.DEADLINE_SECONDS)
            ends = {key: end for key, end in harness.log_ends(self.data).items() if key[0] == TOPIC}
            harness.wait_until(lambda: clients.problem or all(self.is_at_the_end(stream, ends) for stream in streams),
                               "all streams at the end")
        self.assertEqual(server.stop(), 0, server.stderr)
        self.check(streams, events_in_log(self.data))
        print(f"{sum(each.accepted for each in load)} commands, {sum(len(each.events) for each in streams)} events received, "
              f"{sum(len(each.statuses) for each in streams)} connections", file=sys.stderr)

    @staticmethod
    def is_at_the_end(stream, ends):
        positions = sse.positions_of(stream.last_id, TOPIC_HASHES)
        # A partition of which nothing was seen is not named; a stream of one account has one partition.
        wanted = ends if stream.target.startswith("/events?from") or "type=" in stream.target else {}
        return (all(positions.get(key, 0) == end for key, end in wanted.items()) and
                all(position == ends[key] for key, position in positions.items()))

    def check(self, streams, log):
        place = {str(event["id"]): (partition, event["position"]) for partition, events in log.items() for event in events}
        received = 0
        for stream in streams:
            self.assertEqual(set(stream.statuses), {200}, stream.target)
            begin = sse.positions_of(stream.first_id, TOPIC_HASHES)
            seen = {partition: [] for partition in log}
            for _, event in stream.events:
                partition, position = place[event["id"]]
                seen[partition].append(position)
            for partition, events in log.items():
                expected = [event["position"] for event in events
                            if event["position"] >= begin.get((TOPIC, partition), 0) and stream.selects(event)]
                self.assertEqual(seen[partition], expected, f"{stream.target}, partition {partition}")
            received += len(stream.events)
        self.assertGreater(received, 0)

    def test_stop_ends_streams_with_the_last_chunk_and_they_go_on_elsewhere(self):
        server = self.serve()
        streams = [sse.Stream("/events"), sse.Stream("/events?type=bank.account.opened")]
        with sse.Streams(server.port, streams) as clients:
            harness.wait_until(lambda: all(stream.first_id for stream in streams), "two streams")
            with server.client() as client:
                client.open("a", opening_deposit="1.00")
            harness.wait_until(lambda: len(streams[0].events) == 2 and streams[1].events, "three events")
            begun = time.monotonic()
            self.assertEqual(server.stop(), 0, server.stderr)
            self.assertLess(time.monotonic() - begun, 5, "a stream holds up the stop")
            harness.wait_until(lambda: all(stream.ends for stream in streams), "the ends of both")
            self.assertEqual([stream.ends[0] for stream in streams], ["whole", "whole"])
            self.assertEqual(streams[0].last_id, streams[1].last_id, "the filtered one says where to go on")
            server = self.serve(port=server.port)
            with server.client() as client:
                client.open("b")
            harness.wait_until(lambda: len(streams[0].events) == 3 and len(streams[1].events) == 2, "the next event")
            self.assertIsNone(clients.problem)


class Slow(harness.TestCase):
    OWNER = "o" * 20_000

    def test_slow_reader_is_cut_off_the_others_go_on_and_it_resumes(self):
        # Few hot accounts: what grows then is not their state.
        server = self.serve("--http-write-timeout", "1s", "--aggregates-hot-max", "10")
        slow, fast = sse.Stream("/events"), sse.Stream("/events")
        with sse.Streams(server.port, [slow, fast]):
            harness.wait_until(lambda: slow.first_id and fast.first_id, "two streams")
            slow.reads = False
            with server.client() as client:
                count, resident = 0, []
                deadline = time.monotonic() + harness.DEADLINE_SECONDS
                while self.metric(client, "leftfold_http_bodies_cut") == 0:
                    self.assertLess(time.monotonic(), deadline, "it is not cut off")
                    body = {"owner": self.OWNER, "currency": "CZK", "overdraft_limit": "0.00", "opening_deposit": "0.00"}
                    self.assertEqual(client.post(f"/accounts/s{count}/open", body).status, 201)
                    count += 1
                    resident.append(resident_mb(server))
                self.assertEqual(self.metric(client, "leftfold_event_streams"), 1)
                harness.wait_until(lambda: len(fast.events) == count, "all events at the fast one")
                self.assertEqual(fast.ends, [])
                print(f"cut off after {count * len(self.OWNER) / 1e6:.0f} MB; the server grew by {max(resident) - resident[0]:.1f} MB",
                      file=sys.stderr)
                # The rows of the bank's projections hold these owners, too, and are cached up to a bound of their own.
                self.assertLess(max(resident) - resident[0], 100)
                slow.reads = True
                harness.wait_until(lambda: len(slow.events) == count, "all events at the slow one")
                self.assertEqual(*(sorted(event["id"] for _, event in stream.events) for stream in (slow, fast)))
                self.assertEqual(slow.ends, ["cut"])

    def metric(self, client, name):
        return int(re.search(rf"^{name} (\d+)$", client.get("/metrics").body.decode(), re.MULTILINE).group(1))


def resident_mb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


class Idle(harness.TestCase):
    def connect(self, server):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=harness.DEADLINE_SECONDS)
        self.addCleanup(connection.close)
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: bank\r\n\r\n")
        return connection

    def receive(self, connection, wanted):
        """Reads until so many events have come."""
        data = b""
        while data.count(b"\ndata: ") < wanted or not data.endswith(b"\r\n"):
            piece = connection.recv(1 << 16)
            self.assertTrue(piece, "closed")
            data += piece
            if wanted == 0 and b"id: " in data:
                break
        return data

    def test_a_thousand_idle_streams_cost_little_before_and_after_they_were_written_to(self):
        server = self.serve()
        with server.client() as client:
            client.open("a")
            before = resident_mb(server)
            connections = [self.connect(server) for _ in range(1000)]
            for connection in connections:
                self.receive(connection, 0)
            idle = resident_mb(server)
            for _ in range(20):
                self.assertEqual(client.post("/accounts/a/deposit", {"amount": "1.00"}).status, 200)
            for connection in connections:
                self.receive(connection, 20)
            after = resident_mb(server)
            print(f"1,000 streams: {idle - before:.1f} MB above {before:.1f} MB; {after - before:.1f} MB after 20 events to each",
                  file=sys.stderr)
            self.assertLess(idle - before, 60)
            self.assertLess(after - before, 60)
        self.assertEqual(server.stop(signal.SIGTERM), 0)

    def test_streams_over_the_limit_are_503_and_commands_go_on(self):
        server = self.serve("--http-streams-max", "2")
        with server.client() as client:
            first = self.connect(server)
            second = self.connect(server)
            for connection in (first, second):
                self.receive(connection, 0)
            answer = client.get("/events")
            self.assertEqual(answer.status, 503)
            self.assertEqual(harness.problem_in(answer.headers, answer.body, 503), "")
            client.open("a")
            first.close()

            def taken_again():
                connection = self.connect(server)
                return connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")

            harness.wait_until(taken_again, "a place for another")


if __name__ == "__main__":
    harness.main()
