#!/usr/bin/env python3
"""What is in a data directory: the tools beside a running bank and without one, and directories that were damaged."""

import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile

import bank_data
import harness
from harness import BANK

DEPOSITS = 600


class Filled(harness.TestCase):
    """Each test gets a copy of one directory: account `a` in several segments, account `b` in one event."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="leftfold-system-")
        cls.addClassCleanup(folder.cleanup)
        cls.original = pathlib.Path(folder.name) / "data"
        with harness.Server(cls.original, "--data-segment-size", "64KiB") as server, server.client() as client:
            client.open("b")
            client.open("a", opening_deposit="1.00")
            for _ in range(DEPOSITS):
                client.post("/accounts/a/deposit", {"amount": "0.01"})
            cls.events = client.events("/accounts/a")
            cls.state = client.get("/accounts/a").json
            cls.position = client.get("/accounts/a").headers["Leftfold-Position"]
            server.stop()

    def setUp(self):
        super().setUp()
        shutil.copytree(self.original, self.data)

    def segments(self):
        """Of the partition that holds `a`, oldest first."""
        folders = sorted((self.data / "topics" / "bank.account").iterdir(), key=lambda each: len(list(each.glob("*.log"))))
        segments = sorted(folders[-1].glob("*.log"))
        self.assertGreater(len(segments), 2)
        return segments

    def check_all_there(self, *arguments):
        with self.serve(*arguments) as server, server.client() as client:
            self.assertEqual(client.get("/accounts/a").json, self.state)
            self.assertEqual(client.events("/accounts/a"), self.events)
            answer = client.post("/accounts/a/deposit", {"amount": "0.01"})
            self.assertEqual((answer.status, answer.json["version"]), (200, self.state["version"] + 1))
            self.assertEqual(server.stop(), 0)

    def tool(self, *arguments, data=None):
        return harness.run(BANK, *arguments, "--data", data or self.data)


class Tools(Filled):
    def check_events(self):
        code, out, err = self.tool("events")
        self.assertEqual((code, err), (0, ""))
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({each["topic"] for each in lines}, {"bank.account"})
        self.assertEqual([each["event"] for each in lines if each["event"]["subject"] == "a"], self.events)
        self.assertEqual(len(lines), len(self.events) + 1)

    def check_replay(self):
        code, out, err = self.tool("replay", "account", "a")
        self.assertEqual((code, err), (0, ""))
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([each["version"] for each in lines], list(range(1, DEPOSITS + 3)))
        balances = [bank_data.minor_of(each["state"]["balance"]) for each in lines]
        self.assertEqual(balances, [0] + list(range(100, 101 + DEPOSITS)))
        self.assertEqual([each["data"] for each in lines], [each["data"] for each in self.events])

    def check_log_info(self):
        ends = harness.log_ends(self.data)
        self.assertEqual(sum(end for (topic, _), end in ends.items() if topic == "bank.account"), len(self.events) + 1)

    def test_without_a_server_all_answer(self):
        self.check_events()
        self.check_replay()
        self.check_log_info()

    def test_beside_a_running_server_all_answer_the_same(self):
        server = self.serve()
        self.check_events()
        self.check_replay()
        self.check_log_info()
        with server.client() as client:
            self.assertEqual(client.get("/accounts/a").json, self.state)

    def test_what_is_not_there_said(self):
        for arguments, words in ((("replay", "account", "nobody"), "nobody"), (("replay", "konto", "a"), "konto"),
                                 (("events", "--topic", "x"), "bank.account"), (("events", "--from", "x"), "token")):
            code, out, err = self.tool(*arguments)
            self.assertEqual((code, out), (1, ""), arguments)
            self.assertIn(words, err)
        code, out, err = self.tool("log", "info", data=self.folder / "nothing")
        self.assertEqual((code, out), (1, ""))
        self.assertIn(str(self.folder / "nothing"), err)
        self.assertFalse((self.folder / "nothing").exists(), "a tool made the directory")

    def test_events_from_a_position_are_those_behind_it(self):
        with self.serve() as server, server.client() as client:
            client.post("/accounts/a/deposit", {"amount": "5.00"})
            code, out, err = self.tool("events", "--from", self.position)
        self.assertEqual((code, err), (0, ""))
        data = [json.loads(line)["event"]["data"] for line in out.splitlines() if json.loads(line)["event"]["subject"] == "a"]
        self.assertEqual(data, [{"amount": "5.00"}])

    def check_follow(self, server):
        follower = self.start(BANK, "events", "--follow", "--data", self.data)
        there = len(self.events) + 1
        follower.wait_for_lines(there)
        if server:
            with server.client() as client:
                for number in range(3):
                    client.post("/accounts/a/deposit", {"amount": "7.00"}, Idempotency_Key=f"new-{number}")
                    line = follower.wait_for_lines(there + number + 1)[-1]
                    self.assertEqual(json.loads(line)["event"]["commandid"], f"new-{number}")
        follower.signal(signal.SIGINT)
        self.assertEqual((follower.wait(), follower.stderr), (0, ""))

    def test_follow_prints_what_comes_and_ends_on_interrupt(self):
        server = self.serve()
        self.check_follow(server)
        self.assertEqual(server.stop(), 0)

    def test_follow_without_a_server_ends_on_interrupt(self):
        self.check_follow(None)

    def test_follow_whose_server_stops_ends_and_says_so(self):
        server = self.serve()
        follower = self.start(BANK, "events", "--follow", "--data", self.data)
        follower.wait_for_lines(len(self.events) + 1)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(follower.wait(), 1)
        self.assertIn("owner of the data directory", follower.stderr)

    def test_server_refused_while_a_tool_holds_the_directory(self):
        follower = self.start(BANK, "events", "--follow", "--data", self.data)
        follower.wait_for_lines(len(self.events) + 1)
        with harness.Server(self.data, wait_until_ready=False) as server:
            self.assertEqual(server.wait(), 1)
            self.assertIn("held by a running process", server.stderr)

    def test_many_tools_at_once_all_answer(self):
        tools = [self.start(BANK, "log", "info", "--data", self.data) for _ in range(12)]
        self.assertEqual([(each.wait(), each.stderr) for each in tools], [(0, "")] * len(tools))
        self.assertEqual(len({each.stdout for each in tools}), 1)


class Damage(Filled):
    def flip(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x10]))

    def used_bytes(self, segment):
        """Where the last byte that is not zero ends: behind it is space that was only reserved."""
        return len(segment.read_bytes().rstrip(b"\0"))

    def test_flipped_byte_in_the_last_segment_refused_with_the_place_and_what_to_do(self):
        last = self.segments()[-1]
        self.flip(last, self.used_bytes(last) // 2)
        with harness.Server(self.data, wait_until_ready=False) as server:
            self.assertEqual(server.wait(), 1)
            self.assertEqual(server.stdout, "")
            for words in (str(last), "at byte", "log verify", str(self.data)):
                self.assertIn(words, server.stderr)

    def test_flipped_byte_in_a_closed_segment_never_becomes_a_wrong_answer(self):
        damaged = self.segments()[1]
        self.flip(damaged, damaged.stat().st_size // 2)
        with self.serve() as server, server.client() as client:
            for path in ("/accounts/a", f"/accounts/a?at_version={DEPOSITS}"):
                answer = client.get(path)
                self.assertEqual(answer.status, 500, path)
                self.assertEqual(harness.problem_in(answer.headers, answer.body, 500), "")
                self.assertIn(str(damaged), answer.json["detail"])
            # No decision is taken on a state that cannot be known.
            answer = client.post("/accounts/a/deposit", {"amount": "1.00"})
            self.assertEqual(answer.status, 500, answer.body)
            # Others are not touched.
            self.assertEqual(client.get("/accounts/b").status, 200)
            self.assertEqual(server.stop(), 0)
        code, out, err = self.tool("events")
        self.assertEqual(code, 1)
        for words in (str(damaged), "at byte", "log verify"):
            self.assertIn(words, err)

    def test_random_flips_in_the_last_segment_refused_or_of_no_effect(self):
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed: {seed}", file=sys.stderr)
        dice = random.Random(seed)
        last = self.segments()[-1]
        whole = last.read_bytes()
        used = self.used_bytes(last)
        for _ in range(25):
            offset = dice.randrange(used)
            self.flip(last, offset)
            with self.subTest(seed=seed, offset=offset), harness.Server(self.data, wait_until_ready=False) as server:
                started = harness.wait_until(lambda: server.stdout or server.process.poll() is not None, "a start or its refusal")
                if started and server.stdout:
                    # The last batch is above what any other calls durable: a break there is a torn tail, and is cut.
                    server.wait_until_ready()
                    with server.client() as client:
                        found = client.events("/accounts/a")
                    self.assertEqual(found, self.events[:len(found)])
                    self.assertGreaterEqual(len(found), len(self.events) - 1)
                else:
                    self.assertEqual(server.wait(), 1)
                    self.assertIn(str(last), server.stderr)
            shutil.rmtree(self.data)
            shutil.copytree(self.original, self.data)
            last.write_bytes(whole)

    def test_garbage_at_the_tail_cut(self):
        dice = random.Random(4)
        last = self.segments()[-1]
        used = self.used_bytes(last)
        for garbage in (b"\xff" * 10, dice.randbytes(5000), b"\0" * 100_000, last.read_bytes()[used - 300:used]):
            with self.subTest(garbage=garbage[:20]):
                with open(last, "r+b") as file:
                    file.truncate(used)
                    file.seek(used)
                    file.write(garbage)
                self.check_all_there()
                shutil.rmtree(self.data)
                shutil.copytree(self.original, self.data)

    def test_half_of_the_last_batch_after_a_clean_stop_refused(self):
        # The manifest says how far the log was durable when the bank stopped.
        last = self.segments()[-1]
        os.truncate(last, self.used_bytes(last) - 20)
        with harness.Server(self.data, wait_until_ready=False) as server:
            self.assertEqual(server.wait(), 1)
            self.assertIn(str(last), server.stderr)

    def test_half_of_the_last_batch_after_a_kill_cut(self):
        with self.serve() as server, server.client() as client:
            answer = client.post("/accounts/a/deposit", {"amount": "0.01"})
            server.kill()
        last = self.segments()[-1]
        os.truncate(last, self.used_bytes(last) - 20)
        with self.serve() as server, server.client() as client:
            self.assertEqual(client.events("/accounts/a"), self.events)
            again = client.post("/accounts/a/deposit", {"amount": "0.01"})
            self.assertEqual(again.json["version"], answer.json["version"])

    def test_missing_index_files_made_again(self):
        indexes = list(self.data.glob("topics/*/*/*.index"))
        self.assertGreater(len(indexes), 1)
        for each in indexes:
            each.unlink()
        self.check_all_there()
        self.assertGreaterEqual(set(self.data.glob("topics/*/*/*.index")), set(indexes))

    def test_damaged_index_files_noticed(self):
        for each in self.data.glob("topics/*/*/*.index"):
            self.flip(each, each.stat().st_size // 3)
        self.check_all_there()

    def test_empty_index_files_noticed(self):
        for each in self.data.glob("topics/*/*/*.index"):
            os.truncate(each, 0)
        self.check_all_there()

    def test_unfinished_segment_does_not_matter(self):
        last = self.segments()[-1]
        (last.parent / "00000000000000999999.log.new").write_bytes(b"half a header")
        self.check_all_there()

    def test_socket_of_a_killed_server_does_not_matter(self):
        server = self.serve()
        server.kill()
        self.assertTrue((self.data / "control.sock").is_socket())
        self.check_all_there()
        self.serve().kill()
        self.assertEqual(self.tool("log", "info")[0], 0)

    def test_damaged_manifest_refused(self):
        manifest = self.data / "manifest"
        for content in (b"", b"{", b"garbage\n", manifest.read_bytes().replace(b"bank.account", b"bank.acount")):
            manifest.write_bytes(content)
            with self.subTest(content=content), harness.Server(self.data, wait_until_ready=False) as server:
                self.assertEqual(server.wait(), 1)
                self.assertIn("manifest", server.stderr)

    def test_segment_that_is_gone_refused(self):
        gone = self.segments()[1]
        gone.unlink()
        with harness.Server(self.data, wait_until_ready=False) as server:
            self.assertEqual(server.wait(), 1, server.stdout)
            self.assertIn(str(gone.parent), server.stderr)

    def test_position_beyond_the_end_of_an_older_copy_refused(self):
        with self.serve() as server, server.client() as client:
            answer = client.post("/accounts/a/deposit", {"amount": "0.01"})
            newer = answer.headers["Leftfold-Position"]
            self.assertEqual(client.get("/accounts/a", Leftfold_Position=newer).status, 200)
            server.stop()
        shutil.rmtree(self.data)
        shutil.copytree(self.original, self.data)
        with self.serve() as server, server.client() as client:
            answer = client.get("/accounts/a", Leftfold_Position=newer)
            self.assertEqual(answer.status, 409)
            self.assertEqual(harness.problem_in(answer.headers, answer.body, 409), "")
            self.assertTrue(answer.json["type"].endswith("position-beyond-end"), answer.body)
            self.assertEqual(client.get("/accounts/a", Leftfold_Position=self.position).status, 200)


if __name__ == "__main__":
    harness.main()
