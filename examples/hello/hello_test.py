#!/usr/bin/env python3
"""hello_test.py BINARY: serves shopping lists on a free port, sends commands, reads the state, ends it."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request


def ask(url, body=None):
    """(status, JSON)"""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: expected {wanted}, got {got}")


def check_what_is_stored(data):
    def tool(*words):
        done = subprocess.run([sys.argv[1], *words, "--data", data], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stdout

    code, out = tool("replay", "list", "home")
    expect("replay", (code, [json.loads(line)["state"]["open"] for line in out.splitlines()]), (0, [{"tea": 2}, {}]))
    code, out = tool("log", "verify", "--json")
    report = json.loads(out)
    expect("verify", (code, report["sound"], sum(each["events"] for each in report["partitions"])), (0, True, 2))

    # One bit of the first event.
    segment = next(each for each in data.rglob("*.log") if b"tea" in each.read_bytes())
    stored = bytearray(segment.read_bytes())
    stored[stored.index(b"tea")] ^= 1
    segment.write_bytes(stored)
    code, out = tool("log", "verify")
    expect("exit code of verify on damage", code, 1)
    if not re.search(rf"DAMAGED: {re.escape(str(segment))} at byte \d+: (.|\n)*from a backup", out):
        sys.exit(f"verify does not say what is damaged and what to do:\n{out}")


def main():
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen([sys.argv[1], "serve", "--data", data, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            url = re.search(r"http://\S+", server.stdout.readline()).group(0)
            status, answer = ask(f"{url}/lists/home/want", {"what": "tea", "count": 2})
            expect("want", (status, answer), (201, {"id": "home", "version": 1}))
            status, answer = ask(f"{url}/lists/home/get", {"what": "milk"})
            expect("refusal", (status, answer["reason"], answer["details"]), (409, "not-on-the-list", {"open": {"tea": 2}}))
            expect("get", ask(f"{url}/lists/home/get", {"what": "tea"})[0], 200)
            status, answer = ask(f"{url}/lists/home")
            expect("state", (status, answer), (200, {"id": "home", "open": {}, "bought": 2, "version": 2}))
            server.send_signal(signal.SIGTERM)
            expect("exit code", server.wait(20), 0)
            check_what_is_stored(pathlib.Path(data))
        finally:
            server.kill()
            server.wait()


main()
