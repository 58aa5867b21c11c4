#!/usr/bin/env python3
"""hello_test.py BINARY: serves shopping lists on a free port, sends commands, reads the state, ends it."""

import json
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
        finally:
            server.kill()
            server.wait()


main()
