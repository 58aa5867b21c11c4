#!/usr/bin/env python3
"""How a bank starts and ends: signals while requests are in flight, kills while it starts, and what keeps it from starting."""

import ctypes
import http.client
import itertools
import random
import resource
import signal
import sys
import threading

import bank_data
import harness
from raw_http import RawConnection

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


class Depositor(threading.Thread):
    """Deposits on one account, one at a time, until the bank is gone; notes what was acknowledged."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.account = f"d{number % 4}"
        self._number = number
        self._server = server
        self.acknowledged = {}  # command id -> version
        self.unexpected = []

    def run(self):
        with self._server.client() as client:
            for index in itertools.count():
                command_id = f"{self._number}-{index}"
                try:
                    answer = client.post(f"/accounts/{self.account}/deposit", {"amount": "0.01"}, Idempotency_Key=command_id)
                except (OSError, http.client.HTTPException):
                    return
                if answer.status == 200:
                    self.acknowledged[command_id] = answer.json["version"]
                elif answer.status != 503:
                    self.unexpected.append((answer.status, answer.body))


class Stop(harness.TestCase):
    def check_stop_under_load(self, number, exit_code):
        server = self.serve()
        with server.client() as client:
            for account in range(4):
                client.open(f"d{account}")
        depositors = [Depositor(server, each) for each in range(16)]
        for each in depositors:
            each.start()
        harness.wait_until(lambda: sum(len(each.acknowledged) for each in depositors) > 500, "500 deposits")
        self.assertEqual(server.stop(number), exit_code, server.stderr)
        for each in depositors:
            each.join(harness.DEADLINE_SECONDS)
            self.assertEqual(each.unexpected, [])
        self.check_acknowledged(depositors)

    def check_acknowledged(self, depositors):
        with self.serve().client() as client:
            for account in {each.account for each in depositors}:
                events = client.events(f"/accounts/{account}")
                self.assertEqual([int(each["sequence"]) for each in events], list(range(1, len(events) + 1)))
                there = {each["commandid"]: int(each["sequence"]) for each in events if "commandid" in each}
                for each in depositors:
                    if each.account == account:
                        lost = {id_: version for id_, version in each.acknowledged.items() if there.get(id_) != version}
                        self.assertEqual(lost, {}, "acknowledged and not there")
                balance = client.get(f"/accounts/{account}").json["balance"]
                self.assertEqual(bank_data.minor_of(balance), len(events) - 1)

    def test_sigterm_with_requests_in_flight_all_acknowledged_is_there(self):
        self.check_stop_under_load(signal.SIGTERM, 0)

    def test_sigint_is_the_same(self):
        self.check_stop_under_load(signal.SIGINT, 0)

    def test_sigkill_with_requests_in_flight_all_acknowledged_is_there(self):
        self.check_stop_under_load(signal.SIGKILL, -signal.SIGKILL)

    def test_stop_with_a_connection_at_every_byte_of_a_conversation(self):
        body = '{"amount":"0.01"}'
        conversation = (f"POST /accounts/a/deposit HTTP/1.1\r\nHost: bank\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                        "GET /accounts/a HTTP/1.1\r\nHost: bank\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        server = self.serve("--http-stop-grace", "300ms")
        with server.client() as client:
            client.open("a")
        connections = [RawConnection(server.port) for _ in range(len(conversation) + 1)]
        for size, connection in enumerate(connections):
            self.addCleanup(connection.__exit__)
            connection.send(conversation[:size])
        self.assertEqual(server.stop(), 0, server.stderr)
        deposits = 0
        for connection in connections:
            answer = connection.answer()
            deposits += answer is not None and answer.status == 200
            while answer is not None:
                self.assertIn(answer.status, (200, 400, 408, 503))
                answer = connection.answer()
        with self.serve().client() as client:
            self.assertGreaterEqual(bank_data.minor_of(client.get("/accounts/a").json["balance"]), deposits)
            self.assertLessEqual(deposits, len(connections))

    def test_request_that_never_ends_does_not_hold_up_the_stop(self):
        server = self.serve("--http-stop-grace", "200ms")
        half, idle = RawConnection(server.port), RawConnection(server.port)
        self.addCleanup(half.__exit__)
        self.addCleanup(idle.__exit__)
        half.send("POST /accounts/a/deposit HTTP/1.1\r\nHost: bank\r\nContent-Length: 100\r\n\r\n{")
        idle.send("GET /health/ready HTTP/1.1\r\nHost: bank\r\n\r\n")
        self.assertEqual(idle.answer().status, 200)
        self.assertEqual(server.stop(), 0)
        self.assertIsNone(idle.answer())

    def test_second_signal_changes_nothing(self):
        server = self.serve("--http-stop-grace", "200ms")
        half = RawConnection(server.port)
        self.addCleanup(half.__exit__)
        half.send("GET /accounts/a HTTP/1.1\r\n")
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGINT)
        self.assertEqual(server.wait(), 0)


class Start(harness.TestCase):
    def fails_to_serve(self, *arguments, data=None, **options):
        with harness.Server(data or self.data, *arguments, wait_until_ready=False, **options) as server:
            code = server.wait()
            self.assertIn(code, (1, 2), server.stdout + server.stderr)
            self.assertEqual(server.stdout, "")
            self.assertEqual(len(server.stderr.splitlines()), 1 if code == 1 else 2, server.stderr)
            return server.stderr

    def test_second_server_on_a_directory_refused_and_the_first_serves_on(self):
        first = self.serve()
        said = self.fails_to_serve()
        self.assertIn(str(self.data), said)
        self.assertIn("held by a running process", said)
        with first.client() as client:
            client.open("a")
        self.assertEqual(first.stop(), 0)
        self.serve()  # and once it has ended, the next one starts

    def test_port_in_use_said_and_the_directory_let_go(self):
        first = self.serve()
        other = self.folder / "other"
        said = self.fails_to_serve(data=other, port=first.port)
        self.assertIn(f"127.0.0.1:{first.port}", said)
        self.assertIn("in use", said)
        with harness.Server(other):
            pass

    def test_address_that_is_none_said(self):
        self.assertIn("nowhere.", self.fails_to_serve("--address", "nowhere."))

    def test_setting_that_is_none_said_with_the_nearest(self):
        self.assertIn("--http-header-timeout", self.fails_to_serve("--http-header-timeuot", "1s"))

    def test_directory_below_a_file_said(self):
        (self.folder / "file").write_text("")
        said = self.fails_to_serve(data=self.folder / "file" / "data")
        self.assertIn(str(self.folder / "file"), said)
        self.assertIn("Not a directory", said)

    def test_directory_that_may_not_be_written_said(self):
        closed = self.folder / "closed"
        closed.mkdir(mode=0o555)
        libc = ctypes.CDLL(None)

        def lose_the_rights_of_root():  # at the exec, so that a test run by root is one of a user
            for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
                libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)

        for data in (closed, closed / "data"):
            said = self.fails_to_serve(data=data, prepare=lose_the_rights_of_root)
            self.assertIn(str(closed), said)
            self.assertIn("Permission denied", said)

    def test_backdated_time_refused_beyond_loopback(self):
        server = self.serve("--address", "0.0.0.0")
        with server.client() as client:
            client.open("a")
            answer = client.post("/accounts/a/deposit", {"amount": "1.00"}, Leftfold_Time="1993-01-01T00:00:00Z")
            self.assertEqual(answer.status, 403)
            self.assertEqual(harness.problem_in(answer.headers, answer.body, 403), "")
            self.assertEqual(client.get("/accounts/a").json["balance"], "0.00")

    def test_health_and_metrics_answer(self):
        with self.serve().client() as client:
            self.assertEqual(client.get("/health/live").status, 200)
            self.assertEqual(client.get("/health/ready").status, 200)
            client.open("a")
            text = client.get("/metrics").body.decode()
            self.assertIn('leftfold_commands_total{aggregate="account",outcome="accepted"} 1\n', text)


class KillAtStart(harness.TestCase):
    """SIGKILL while the bank starts: at each step that can be seen from outside, and at random ones."""

    def start_and_kill(self, condition, what):
        with harness.Server(self.data, wait_until_ready=False) as server:
            harness.wait_until(lambda: condition() or server.process.poll() is not None, what, pause=0)
            server.kill()
            self.assertIn(server.process.returncode, (-signal.SIGKILL,), server.stderr)

    def test_new_directory_killed_at_each_step_starts_after_all(self):
        partition = self.data / "topics" / "bank.account" / "3"
        for path in (self.data, self.data / "LOCK", self.data / "topics", partition.parent / "0", partition, self.data / "manifest",
                     self.data / "control.sock"):
            self.start_and_kill(path.exists, str(path))
        with self.serve().client() as client:
            client.open("a", opening_deposit="1.00")
            self.assertEqual(client.get("/accounts/a").json["balance"], "1.00")

    def test_full_directory_killed_at_random_loses_nothing(self):
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed: {seed}", file=sys.stderr)
        dice = random.Random(seed)
        with self.serve("--data-segment-size", "64KiB") as server, server.client() as client:
            client.open("a")
            for _ in range(400):
                client.post("/accounts/a/deposit", {"amount": "0.01"})
            before = client.events("/accounts/a")
        for _ in range(20):
            polls_left = iter(range(dice.randrange(3000), -1, -1))
            self.start_and_kill(lambda: next(polls_left, 0) == 0, "some moment")
        with self.serve().client() as client:
            self.assertEqual(client.events("/accounts/a"), before)
            self.assertEqual(client.get("/accounts/a").json["version"], 401)


class FullDisk(harness.TestCase):
    """A limit on the size of files stands for a full disk, which needs root to make: space is refused in the same way."""

    OWNER = "o" * 250_000  # big events fill files fast

    def open_account(self, client, account):
        body = {"owner": self.OWNER, "currency": "CZK", "overdraft_limit": "0.00", "opening_deposit": "1.00"}
        return client.post(f"/accounts/{account}/open", body, Idempotency_Key=account)

    def set_limit(self, server, size):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def check_no_space(self, answer):
        self.assertEqual(answer.status, 503)
        self.assertEqual(harness.problem_in(answer.headers, answer.body, 503), "")
        self.assertTrue(answer.json["type"].endswith("no-space"), answer.body)
        self.assertIn(str(self.data), answer.json["detail"])
        self.assertIn("Retry-After", answer.headers)

    def check_all_there(self, client, accounts):
        for account in accounts:
            answer = client.get(f"/accounts/{account}")
            self.assertEqual((answer.status, answer.json["version"], answer.json["balance"]), (200, 2, "1.00"))

    def test_refused_until_there_is_room_and_nothing_acknowledged_is_lost(self):
        server = self.serve()
        client = self.client(server)
        self.set_limit(server, 100_000)  # from the very first event on
        self.check_no_space(self.open_account(client, "first"))
        self.set_limit(server, 5_000_000)
        accepted = []
        for number in itertools.count():
            answer = self.open_account(client, f"a{number}")
            if answer.status != 201:
                break
            accepted.append(f"a{number}")
        self.assertGreater(len(accepted), 10)
        self.check_no_space(answer)
        self.check_no_space(self.open_account(client, f"a{number}"))
        self.check_all_there(client, accepted)

        self.set_limit(server, resource.RLIM_INFINITY)
        accepted += ["first", f"a{number}"]
        for account in accepted[-2:]:
            answer = self.open_account(client, account)
            self.assertEqual((answer.status, answer.headers.get("Idempotent-Replayed")), (201, None))
        self.check_all_there(client, accepted)
        self.assertEqual(server.stop(), 0, server.stderr)
        self.check_all_there(self.client(self.serve()), accepted)

    def test_no_room_for_the_start_said(self):
        with harness.Server(self.data, wait_until_ready=False, file_size_max=10) as server:
            self.assertEqual(server.wait(), 1)
            self.assertIn(str(self.data), server.stderr)
            self.assertIn("File too large", server.stderr)
        self.serve()


if __name__ == "__main__":
    harness.main()
