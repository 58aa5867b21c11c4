#!/usr/bin/env python3
"""Bad input over real sockets: each gives a clear problem document or a closed connection, and the bank serves on."""

import contextlib
import json
import random
import socket
import struct
import sys
import tempfile

import harness
from raw_http import RawConnection

HOST = "Host: bank\r\n"
GET = "GET /accounts/a HTTP/1.1\r\n" + HOST
DEPOSIT = "POST /accounts/a/deposit HTTP/1.1\r\n" + HOST


def with_body(head, body):
    body = body.encode() if isinstance(body, str) else body
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


class OneBank(harness.TestCase):
    """One bank for all tests of a class. Account `a` is open; nothing here may change it, and each test ends by looking."""

    SERVE = ()

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="leftfold-system-")
        cls.addClassCleanup(folder.cleanup)
        cls.server = harness.Server(folder.name + "/data", *cls.SERVE)
        cls.addClassCleanup(cls.server.kill)
        with cls.server.client() as client:
            client.open("a", opening_deposit="10.00")
            cls.before = client.get("/accounts/a").json

    def tearDown(self):
        # Nothing crashed, nothing hangs, and nothing was taken for a command.
        self.assertIsNone(self.server.process.poll(), self.server.stderr)
        with self.server.client() as client:
            answer = client.get("/accounts/a")
        self.assertEqual((answer.status, answer.json), (200, self.before))
        super().tearDown()

    def connect(self):
        connection = RawConnection(self.server.port)
        self.addCleanup(connection.__exit__)
        return connection

    def check_problem(self, answer, status, type_ending, what=""):
        self.assertIsNotNone(answer, f"{what}: closed without an answer")
        self.assertEqual(answer.status, status, f"{what}: {answer.body!r}")
        wrong = harness.problem_in(answer.headers, answer.body, status)
        self.assertEqual(wrong, "", what)
        type_ = json.loads(answer.body)["type"]
        self.assertTrue(type_.endswith(type_ending), f"{what}: type {type_}, expected …{type_ending}")

    def refused(self, name, data, status, type_ending, closes=False):
        """Sends `data`, and expects this one problem; where the framing is lost, also the end of the connection."""
        with self.subTest(name), RawConnection(self.server.port) as connection:
            try:
                connection.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may answer, and end, before all is sent
            self.check_problem(connection.answer(), status, type_ending, name)
            if closes:
                self.assertTrue(connection.is_closed_by_server(), f"{name}: more came, or it stayed open")


class BadInput(OneBank):
    SERVE = ("--http-body-size-max", "256KiB")

    def test_smuggling_forms_refused_and_closed(self):
        chunk = "1c\r\nGET /accounts/a HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"
        framing = {
            "length with coding": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "coding with length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            "two lengths": "Content-Length: 4\r\nContent-Length: 5\r\n",
            "two equal lengths": "Content-Length: 4\r\nContent-Length: 4\r\n",
            "list of lengths": "Content-Length: 4, 4\r\n",
            "signed length": "Content-Length: +4\r\n",
            "negative length": "Content-Length: -4\r\n",
            "hexadecimal length": "Content-Length: 0x4\r\n",
            "empty length": "Content-Length: \r\n",
        }
        for name, lines in framing.items():
            self.refused(name, DEPOSIT + lines + "\r\n" + chunk, 400, "ambiguous-length", closes=True)
        for name, coding in {"unknown coding": "xchunked", "coded twice": "chunked, chunked", "gzip": "gzip, chunked",
                             "identity": "identity", "quoted": '"chunked"', "with parameter": "chunked;q=1"}.items():
            self.refused(name, f"{DEPOSIT}Transfer-Encoding: {coding}\r\n\r\n{chunk}", 400, "unsupported-transfer-coding",
                         closes=True)
        self.refused("coding in two lines", DEPOSIT + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunk,
                     400, "unsupported-transfer-coding", closes=True)
        self.refused("coding in HTTP/1.0", DEPOSIT.replace("1.1", "1.0") + "Transfer-Encoding: chunked\r\n\r\n" + chunk, 400,
                     "ambiguous-length", closes=True)

    def test_malformed_heads_refused_and_closed(self):
        heads = {
            "obs-fold": GET + "X-A: 1\r\n 2\r\n\r\n",
            "obs-fold on Host": "GET / HTTP/1.1\r\nHost: bank\r\n\tmore\r\n\r\n",
            "no Host": "GET /accounts/a HTTP/1.1\r\n\r\n",
            "two Hosts": GET + "Host: other\r\n\r\n",
            "Host with a path": "GET / HTTP/1.1\r\nHost: bank/path\r\n\r\n",
            "space before the colon": GET + "X-A : 1\r\n\r\n",
            "no colon": GET + "X-A\r\n\r\n",
            "empty name": GET + ": 1\r\n\r\n",
            "NUL in a value": GET + "X-A: a\0b\r\n\r\n",
            "bare LF": GET.replace("\r\n", "\n") + "\n",
            "bare CR in a value": GET + "X-A: a\rb\r\n\r\n",
            "two spaces": "GET  /accounts/a HTTP/1.1\r\n" + HOST + "\r\n",
            "no version": "GET /accounts/a\r\n\r\n",
            "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
            "control characters": bytes(range(1, 32)),
        }
        for name, head in heads.items():
            with self.subTest(name), RawConnection(self.server.port) as connection:
                connection.send(head)
                answer = connection.answer()
                self.assertIn(answer.status, (400, 505), name)
                self.assertEqual(harness.problem_in(answer.headers, answer.body, answer.status), "", name)
                self.assertTrue(connection.is_closed_by_server(), name)

    def test_methods_and_versions_not_spoken_refused(self):
        self.refused("unknown method", GET.replace("GET", "BREW") + "\r\n", 501, "method-not-implemented", closes=True)
        self.refused("CONNECT", "CONNECT bank:443 HTTP/1.1\r\nHost: bank:443\r\n\r\n", 501, "method-not-implemented", closes=True)
        self.refused("TRACE", GET.replace("GET", "TRACE") + "\r\n", 501, "method-not-implemented", closes=True)
        self.refused("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version-not-supported", closes=True)
        self.refused("HTTP/1.9", GET.replace("1.1", "3.0") + "\r\n", 505, "version-not-supported", closes=True)

    def test_unknown_routes_and_wrong_methods_refused_and_served_on(self):
        with self.connect() as connection:
            for path in ("/account/a", "/accounts", "/accounts/", "/accounts/a/", "/accounts/a/steal",
                         "/accounts/a/events/1", "//accounts/a", "/accounts//events", "/accounts/a/deposit/", "/accounts" + "/x" * 40):
                connection.send(f"GET {path} HTTP/1.1\r\n{HOST}\r\n")
                answer = connection.answer()
                self.assertIn(answer.status, (404, 405), path)
                self.assertEqual(harness.problem_in(answer.headers, answer.body, answer.status), "", path)
            for method, path, allowed in (("GET", "/accounts/a/deposit", "POST"), ("DELETE", "/accounts/a", "GET"),
                                          ("PUT", "/accounts/a", "GET"), ("POST", "/accounts/a/events", "GET"),
                                          ("POST", "/metrics", "GET"), ("PATCH", "/accounts/a", "GET")):
                connection.send(with_body(f"{method} {path} HTTP/1.1\r\n{HOST}", "{}"))
                answer = connection.answer()
                self.check_problem(answer, 405, "method-not-allowed", f"{method} {path}")
                self.assertIn(allowed, answer.headers["Allow"])

    def test_bad_percent_encoding_refused(self):
        for target in ("/accounts/%", "/accounts/%4", "/accounts/%zz", "/accounts/%00", "/accounts/a%2", "/accounts/a#b",
                       "accounts/a", "*", "/accounts/\x80", "http://user@bank/accounts/a"):
            self.refused(repr(target), f"GET {target} HTTP/1.1\r\n{HOST}\r\n", 400, "invalid-target", closes=True)

    def test_ids_that_are_no_text_refused(self):
        for id_ in ("%01", "%7F", "%0A", "a%1Fb", "%FF", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%E2%82", "x" * 201):
            self.refused(id_, f"GET /accounts/{id_} HTTP/1.1\r\n{HOST}\r\n", 400, "bad-id")

    def test_ids_with_odd_characters_are_ids(self):
        # Percent-encoded where a path asks for it: each is one account, by the same id in the answer.
        with self.server.client() as client:
            for raw, id_ in (("%2F", "/"), ("a%2Fb", "a/b"), ("%E2%82%AC", "€"), ("%25", "%"), ("%3F", "?"), ("a%20b", "a b"),
                             ("..", ".."), ("%F0%9F%92%B0", "💰"), ("'%22%3C", "'\"<"), ("y" * 200, "y" * 200), ("%41%42", "AB"),
                             ("a%5Cb", "a\\b")):
                client.open(raw, opening_deposit="1.00")
                answer = client.get(f"/accounts/{raw}")
                self.assertEqual((answer.status, answer.json["id"]), (200, id_))
                events = client.events(f"/accounts/{raw}")
                self.assertEqual([(each["subject"], each["sequence"]) for each in events], [(id_, "1"), (id_, "2")])
            # Another spelling of the same id is the same account.
            self.assertEqual(client.get("/accounts/AB").json["version"], 2)
            self.assertEqual(client.get("/accounts/%2f").json["version"], 2)

    def test_bodies_that_are_no_command_refused_by_path(self):
        bodies = {
            "no body": ("", ""), "not JSON": ("amount=1", ""), "cut short": ('{"amount":"1.00"', ""),
            "more behind": ('{"amount":"1.00"}{}', ""), "an array": ("[]", ""), "a string": ('"1.00"', ""), "null": ("null", ""),
            "duplicate key": ('{"amount":"1.00","amount":"2.00"}', "amount"),
            "duplicate key, escaped": ('{"amount":"1.00","\\u0061mount":"2.00"}', "amount"),
            "unknown field": ('{"amount":"1.00","memo":"x"}', "memo"), "missing field": ("{}", "amount"),
            "wrong case": ('{"Amount":"1.00"}', ""), "a number": ('{"amount":1.00}', "amount"), "null amount": ('{"amount":null}', "amount"),
            "an object": ('{"amount":{"amount":"1.00"}}', "amount"), "one digit": ('{"amount":"1.0"}', "amount"),
            "three digits": ('{"amount":"1.000"}', "amount"), "no digits": ('{"amount":"1"}', "amount"), "exponent": ('{"amount":"1e2"}', "amount"),
            "spaces": ('{"amount":" 1.00"}', "amount"), "plus": ('{"amount":"+1.00"}', "amount"), "words": ('{"amount":"one"}', "amount"),
            "too much money": ('{"amount":"92233720368547758.08"}', "amount"), "NaN": ('{"amount":NaN}', ""),
            "comment": ('{"amount":"1.00"/*x*/}', ""), "trailing comma": ('{"amount":"1.00",}', ""), "byte order mark": ('\ufeff{"amount":"1.00"}', ""),
            "single quotes": ("{'amount':'1.00'}", ""), "control character": ('{"amount":"1.00\n"}', ""),
            "lone surrogate": ('{"amount":"\\ud800"}', ""), "no UTF-8": (b'{"amount":"\xff"}', ""), "UTF-16": ('{"amount":"1.00"}'.encode("utf-16"), ""),
            "deep array": ("[" * 100_000 + "]" * 100_000, ""), "deep object": ('{"amount":' * 20_000 + "1" + "}" * 20_000, ""),
            "deep within a field": ('{"amount":' + "[" * 50_000 + "]" * 50_000 + "}", ""), "deep and open": ("[" * 200_000, ""),
            "NUL": (b"\0", ""), "many keys": ("{" + ",".join(f'"k{i}":1' for i in range(20_000)) + "}", ""),
        }
        with self.connect() as connection:  # framing holds: one connection for all
            for name, (body, path) in bodies.items():
                with self.subTest(name):
                    connection.send(with_body(DEPOSIT, body))
                    answer = connection.answer()
                    self.check_problem(answer, 400, "malformed-command", name)
                    document = json.loads(answer.body)
                    self.assertIn(path, document["errors"][0]["path"] + document["detail"], name)
                    self.assertLess(len(answer.body), 2000, name)

    def test_nested_fields_of_open_named_by_their_path(self):
        body = {"owner": "x", "currency": "CZK", "overdraft_limit": "0.00", "opening_deposit": 5}
        with self.server.client() as client:
            answer = client.post("/accounts/never/open", body)
            self.check_problem(answer, 400, "malformed-command")
            self.assertEqual(answer.json["errors"][0]["path"], "/opening_deposit")
            self.assertEqual(client.get("/accounts/never").status, 404)

    def test_media_types_that_are_no_json_refused(self):
        for media in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
            head = DEPOSIT + f"Content-Type: {media}\r\n"
            self.refused(media, with_body(head, '{"amount":"1.00"}'), 415, "not-json")
        self.refused("another origin", with_body(DEPOSIT + "Origin: https://evil.example\r\n", '{"amount":"1.00"}'), 403, "cross-origin")

    def test_too_large_refused(self):
        self.refused("declared body", DEPOSIT + f"Content-Length: {256 * 1024 + 1}\r\n\r\n", 413, "body-too-large", closes=True)
        self.refused("sent body", with_body(DEPOSIT, '{"amount":"' + "1" * 300_000 + '"}'), 413, "body-too-large", closes=True)
        chunks = "".join(f"10000\r\n{'x' * 65536}\r\n" for _ in range(5)) + "0\r\n\r\n"
        self.refused("chunked body", DEPOSIT + "Transfer-Encoding: chunked\r\n\r\n" + chunks, 413, "body-too-large", closes=True)
        self.refused("chunk beyond any number", DEPOSIT + "Transfer-Encoding: chunked\r\n\r\n" + "f" * 17 + "\r\n", 413, "body-too-large",
                     closes=True)
        self.refused("length beyond any number", DEPOSIT + f"Content-Length: {'9' * 40}\r\n\r\n", 413, "body-too-large", closes=True)
        self.refused("target", f"GET /accounts/{'a' * 20_000} HTTP/1.1\r\n{HOST}\r\n", 414, "target-too-long", closes=True)
        self.refused("header", GET + f"X-A: {'a' * 20_000}\r\n\r\n", 431, "headers-too-large", closes=True)
        self.refused("headers", GET + "".join(f"X-{i}: 1\r\n" for i in range(200)) + "\r\n", 431, "headers-too-large", closes=True)

    def test_bad_conditions_ids_times_and_positions_refused(self):
        command_headers = [
            ("Idempotency-Key: ", "bad-command-id"), ("Idempotency-Key: a b", "bad-command-id"), (f"Idempotency-Key: {'x' * 201}", "bad-command-id"),
            ("Idempotency-Key: \xe9", "bad-command-id"), ("Idempotency-Key: a\r\nIdempotency-Key: b", "bad-command-id"),
            ("If-Match: 2", "bad-condition"), ('If-Match: "two"', "bad-condition"), ('If-Match: W/"2"', "bad-condition"), ('If-Match: "-2"', "bad-condition"),
            ('If-Match: "1", "2"', "bad-condition"), ('If-Match: "99999999999999999999"', "bad-condition"), ('If-None-Match: "2"', "bad-condition"),
            ("If-Match: *\r\nIf-None-Match: *", "bad-condition"), ("If-Match: ", "bad-condition"), ('If-Match: ""', "bad-condition"),
            ('If-Match: "2"\r\nIf-Match: "3"', "bad-condition"),
            ("Leftfold-Time: yesterday", "bad-time"), ("Leftfold-Time: 1993-02-30T00:00:00Z", "bad-time"), ("Leftfold-Time: ", "bad-time"),
            ("Leftfold-Time: 1993-01-01", "bad-time"), ("Leftfold-Time: 99999-01-01T00:00:00Z", "bad-time"),
            ("Leftfold-Time: 1993-01-01T00:00:00Z\r\nLeftfold-Time: 1994-01-01T00:00:00Z", "bad-time"),
            ("Leftfold-Correlation-Id: a b", "bad-correlation-id"),
            ("Leftfold-Correlation-Id: a\r\nLeftfold-Correlation-Id: b", "bad-correlation-id"),
            ("If-None-Match: *\r\nIf-None-Match: *", "bad-condition"),
        ]
        for header, ending in command_headers:
            self.refused(header, with_body(f"{DEPOSIT}{header}\r\n", '{"amount":"1.00"}'), 400, ending)
        for position in ("x", "1.", "1.!!!!", "1.AAAA", "9.AaIMu54CedCMeRK5nGqzCgHW31Y7AI4_", "1." + "A" * 5000):
            self.refused(position, f"{GET}Leftfold-Position: {position}\r\n\r\n", 400, "bad-position")

    def test_bad_queries_refused(self):
        for query in ("?at_version=0", "?at_version=-1", "?at_version=x", "?at_version=", "?at_version=99999999999999999999", "?at_time=x",
                      "?at_time=1993-13-01", "?at_time=1993-02-29", "?recorded_at=now", "?at_time=1993-01-31&at_version=1", "?x=1",
                      "?at_version=1&at_version=2", "?at_version", "?=", "?&&"):
            self.refused(query, f"GET /accounts/a{query} HTTP/1.1\r\n{HOST}\r\n", 400, "bad-query")
        for query in ("?from=0", "?from=x", "?limit=0", "?limit=1001", "?limit=-1", "?page=2", "?from=99999999999999999999"):
            self.refused(query, f"GET /accounts/a/events{query} HTTP/1.1\r\n{HOST}\r\n", 400, "bad-query")

    def test_version_beyond_the_last_is_not_found(self):
        with self.server.client() as client:
            answer = client.get("/accounts/a?at_version=3")
            self.check_problem(answer, 404, "not-found")
            answer = client.get("/accounts/nobody/events")
            self.check_problem(answer, 404, "not-found")

    def test_position_of_another_log_refused_at_once(self):
        with harness.Server(self.data) as other, other.client() as client:
            client.open("a")
            foreign = client.get("/accounts/a").headers["Leftfold-Position"]
        self.refused("foreign position", f"{GET}Leftfold-Position: {foreign}\r\n\r\n", 409, "foreign-position")

    def test_half_closed_sockets_get_their_answers(self):
        with self.connect() as connection:
            connection.send(GET + "\r\n" + GET + "\r\n")
            connection.end_sending()
            self.assertEqual([connection.answer().status, connection.answer().status], [200, 200])
            self.assertIsNone(connection.answer())
        for cut in ("", "GET /acc", GET, DEPOSIT + "Content-Length: 17\r\n\r\n{\"amo"):
            with self.subTest(cut), self.connect() as connection:
                connection.send(cut)
                connection.end_sending()
                answer = connection.answer()
                if answer is not None:
                    self.assertEqual(harness.problem_in(answer.headers, answer.body, answer.status), "")
                    self.assertLess(answer.status, 500)
                    self.assertGreaterEqual(answer.status, 400)
                self.assertTrue(connection.is_closed_by_server())

    def test_reset_within_a_request_harms_nobody(self):
        for cut in ("GET /acc", GET, DEPOSIT + "Content-Length: 17\r\n\r\n{\"amo", GET + "\r\n" + "GET /"):
            connection = self.connect()
            connection.send(cut)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.socket.close()

    def test_pipelined_requests_answered_in_order_up_to_the_bad_one(self):
        connection = self.connect()
        connection.send(GET + "\r\n" + GET.replace("/a ", "/none ") + "\r\n" + with_body(DEPOSIT, "{}").decode() + GET + "\r\n" +
                        GET + "X-A : 1\r\n\r\n" + GET + "\r\n")
        self.assertEqual([connection.answer().status for _ in range(5)], [200, 404, 400, 200, 400])
        self.assertTrue(connection.is_closed_by_server())

    def test_many_pipelined_requests_all_answered(self):
        connection = self.connect()
        connection.send((GET + "\r\n") * 500)
        self.assertEqual({connection.answer().status for _ in range(500)}, {200})

    def test_well_formed_oddities_are_served(self):
        oddities = {
            "absolute target": "GET http://bank/accounts/a HTTP/1.1\r\n" + HOST + "\r\n",
            "HTTP/1.0": "GET /accounts/a HTTP/1.0\r\n\r\n",
            "empty lines before": "\r\n\r\n" + GET + "\r\n",
            "other case": GET.replace("Host", "hOST") + "\r\n",
            "body on GET": with_body(GET, "ignored").decode(),
        }
        for name, request in oddities.items():
            with self.subTest(name):
                connection = self.connect()
                connection.send(request)
                self.assertEqual(connection.answer().status, 200)
        connection = self.connect()
        connection.send(GET.replace("GET", "HEAD") + "\r\n" + GET + "\r\n")
        self.assertEqual([connection.answer(without_body=True).status, connection.answer().status], [200, 200])

    def test_random_bytes_and_random_edits_never_harm(self):
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed: {seed}", file=sys.stderr)
        dice = random.Random(seed)
        head = DEPOSIT.replace("/a/", "/never-opened/") + "Idempotency-Key: x\r\n"  # no edit of these makes a command that is taken
        whole = with_body(head, '{"amount":"1.00"}') + GET.encode() + b"\r\n"
        for round_ in range(300):
            data = bytearray(whole if dice.random() < 0.9 else dice.randbytes(dice.randrange(1, 400)))
            for _ in range(dice.randrange(1, 6)):
                at = dice.randrange(len(data))
                data[at:at + dice.randrange(3)] = dice.randbytes(dice.randrange(3)) or dice.choice([b"\r\n", b" ", b"", b":", b"\0"])
                if not data:
                    break
            with self.subTest(seed=seed, round=round_), self.connect() as connection:
                with contextlib.suppress(OSError):  # it may have been refused and closed already
                    connection.send(bytes(data))
                    connection.end_sending()
                while answer := connection.answer():
                    self.assertIn(answer.status, {200, 304, 400, 404, 405, 408, 409, 411, 412, 413, 414, 415, 417, 431, 501, 505})
                    if answer.status >= 400:
                        self.assertEqual(harness.problem_in(answer.headers, answer.body, answer.status), "")


class SlowClients(OneBank):
    SERVE = ("--http-header-timeout", "500ms", "--http-body-timeout", "500ms", "--http-idle-timeout", "500ms")

    def test_slow_headers_answered_or_closed_in_time(self):
        connections = [self.connect() for _ in range(3)]
        connections[0].send("GET /acc")
        connections[1].send(GET + "X-A: 1\r\n")
        for connection in connections[:2]:
            self.check_problem(connection.answer(), 408, "request-timeout")
            self.assertTrue(connection.is_closed_by_server())
        # Never a byte: closed without an answer, for there is no request to answer.
        self.assertIsNone(connections[2].answer())

    def test_drip_fed_headers_do_not_renew_the_time(self):
        connection = self.connect()
        connection.socket.settimeout(0.02)
        connection.send(GET)

        def drip():
            try:
                connection.send("X-A: 1\r\n")
                return connection.answer()
            except TimeoutError:
                return None

        self.check_problem(harness.wait_until(drip, "the server's patience to end", seconds=10), 408, "request-timeout")

    def test_slow_body_answered_in_time(self):
        connection = self.connect()
        connection.send(DEPOSIT + "Content-Length: 17\r\n\r\n{\"amount\"")
        self.check_problem(connection.answer(), 408, "request-timeout")
        self.assertTrue(connection.is_closed_by_server())

    def test_idle_connection_closed(self):
        connection = self.connect()
        connection.send(GET + "\r\n")
        self.assertEqual(connection.answer().status, 200)
        self.assertIsNone(connection.answer())


if __name__ == "__main__":
    harness.main()
