#!/usr/bin/env python3
"""http_examples.py BANK SHOP: docs/http.md is true.

Its examples, pairs of http blocks, are sent to a bank and compared: status, the headers shown, the whole body; "…" stands for
anything. Those of blocks marked "shop" go to the shop of examples/python-reaction. A live stream is compared as far as it is shown. Its table of problems has exactly the types, with their statuses, that the sources can produce.
"""

import http.client
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/http.md").read_text(encoding="utf-8")
ANYTHING = "…"
# It answers over a socket in the data directory only, and its types are names of error codes.
NOT_FOR_CLIENTS = {"src/app/inspection_query.cpp"}


def split_message(text):
    """(first line, [(header, value)], JSON, or text of a stream, or None)"""
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().splitlines()
    headers = [tuple(line.split(": ", 1)) for line in lines]
    if ("Content-Type", "text/event-stream") in headers:
        return first, headers, body
    return first, headers, json.loads(body) if body.strip() else None


def matches(wanted, got):
    if wanted == ANYTHING:
        return True
    if isinstance(wanted, dict):
        return isinstance(got, dict) and wanted.keys() == got.keys() and all(matches(wanted[k], got[k]) for k in wanted)
    if isinstance(wanted, list):
        return isinstance(got, list) and len(wanted) == len(got) and all(map(matches, wanted, got))
    if isinstance(wanted, str) and ANYTHING in wanted:
        return isinstance(got, str) and re.fullmatch(re.escape(wanted).replace(ANYTHING, ".+"), got) is not None
    return type(wanted) is type(got) and wanted == got


class Examples(unittest.TestCase):
    def test_examples_are_answered_as_shown(self):
        for mark, least, program in (("", 20, sys.argv[1]), (" shop", 6, sys.argv[2])):
            blocks = re.findall(rf"^```http{mark}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
            self.assertGreater(len(blocks), least)
            self.assertEqual(len(blocks) % 2, 0, "an example is a request and an answer")
            self.check_all(program, blocks)

    def check_all(self, program, blocks):
        with tempfile.TemporaryDirectory() as data:
            bank = subprocess.Popen([program, "serve", "--data", data, "--port", "0", "--log-level", "error"],
                                    stdout=subprocess.PIPE, text=True)
            try:
                port = int(re.search(r":(\d+) ", bank.stdout.readline()).group(1))
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                for request, answer in zip(blocks[::2], blocks[1::2]):
                    with self.subTest(request=request):
                        self.check(connection, request, answer)
                connection.close()
            finally:
                bank.kill()
                bank.wait()
                bank.stdout.close()

    def check(self, connection, request, answer):
        line, headers, body = split_message(request)
        method, target = line.split(" ")
        connection.request(method, target, None if body is None else json.dumps(body), dict(headers))
        response = connection.getresponse()
        status_line, wanted_headers, wanted_body = split_message(answer)
        is_stream = ("Content-Type", "text/event-stream") in wanted_headers
        text = "" if is_stream else response.read().decode()
        self.assertEqual(f"HTTP/1.1 {response.status} {response.reason}", status_line, text)
        for name, value in wanted_headers:
            self.assertTrue(matches(value, response.getheader(name)), f"{name}: {response.getheader(name)}, not {value}")
        if is_stream:
            for wanted in wanted_body.splitlines():
                line = response.readline().decode().rstrip("\n")
                self.assertTrue(matches(wanted, line), f"{line!r}, not {wanted!r}")
            connection.close()
        elif wanted_body is None:
            self.assertEqual(text, "")
        else:
            self.assertTrue(matches(wanted_body, json.loads(text)), text)


class ProblemTable(unittest.TestCase):
    def test_table_has_what_the_sources_produce(self):
        table = set()
        for name, status in re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", PAGE, re.MULTILINE):
            self.assertNotIn((int(status), name), table)
            table.add((int(status), name))
        produced = set()
        for source in sorted(ROOT.glob("src/**/*.cpp")):
            path = source.relative_to(ROOT).as_posix()
            if path.endswith("_test.cpp") or "/testing/" in path or path in NOT_FOR_CLIENTS:
                continue
            text = source.read_text(encoding="utf-8")
            produced |= {(int(status), name) for status, name in
                         re.findall(r"(?:\bProblem\(|\{)(\d{3}), \"([a-z-]+)\"", text)}
            produced |= {(400, name) for name in re.findall(r"\bbad_request\(\s*\"([a-z-]+)\"", text)}
        self.assertGreater(len(produced), 30)
        self.assertEqual(sorted(produced - table), [], "are missing in docs/http.md")
        self.assertEqual(sorted(table - produced), [], "are in docs/http.md, and nothing produces them")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
