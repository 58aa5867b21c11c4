#!/usr/bin/env python3
"""reviewer_test.py SHOP: orders are placed while the shop and the reviewer are killed in turn; each order is reviewed once."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

REVIEWER = pathlib.Path(__file__).with_name("reviewer.py")
ORDERS = 60
DEADLINE_SECONDS = 60


class Shop:
    def __init__(self, data, port=0):
        self.process = subprocess.Popen([sys.argv[1], "serve", "--data", data, "--port", str(port), "--log-level", "error"],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+) ", self.process.stdout.readline()).group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def place(self, number):
        body = json.dumps({"item": "tea", "price": "2000.00" if number % 10 == 0 else "4.50"}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/orders/{number}/place", body), timeout=20).close()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def start_reviewer(shop):
    return subprocess.Popen([REVIEWER, shop.url], stderr=subprocess.DEVNULL)


def stop_reviewer(reviewer):
    reviewer.kill()
    reviewer.wait()


def reviews(data):
    """subject -> types, as the log has them."""
    done = subprocess.run([sys.argv[1], "events", "--topic", "shop.review", "--data", data], capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)["event"]
        found.setdefault(event["subject"], []).append(event["type"])
    return found


def main():
    lines = sum(bool(line.strip()) for line in REVIEWER.read_text().splitlines())
    assert lines <= 40, f"reviewer.py has {lines} lines: it is to show how few are needed"
    with tempfile.TemporaryDirectory() as data:
        shop = Shop(data)
        reviewer = start_reviewer(shop)
        try:
            for number in range(ORDERS):
                shop.place(number)
                if number % 15 == 7:
                    shop.kill()
                    shop = Shop(data, shop.port)
                if number % 15 == 14:
                    stop_reviewer(reviewer)
                    reviewer = start_reviewer(shop)
            deadline = time.monotonic() + DEADLINE_SECONDS
            while len(found := reviews(data)) < ORDERS:
                assert time.monotonic() < deadline, f"{len(found)} orders are reviewed, not {ORDERS}"
                time.sleep(0.05)
            # From the start once more: nothing is reviewed twice.
            stop_reviewer(reviewer)
            reviewer = start_reviewer(shop)
            shop.place(ORDERS)
            while len(found := reviews(data)) < ORDERS + 1:
                assert time.monotonic() < deadline, "the last order is not reviewed"
                time.sleep(0.05)
            for number in range(ORDERS + 1):
                wanted = ["shop.review.flagged" if number % 10 == 0 else "shop.review.approved"]
                assert found[str(number)] == wanted, f"order {number}: {found[str(number)]}"
        finally:
            stop_reviewer(reviewer)
            shop.kill()


main()
