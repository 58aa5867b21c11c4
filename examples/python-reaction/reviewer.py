#!/usr/bin/env python3
"""reviewer.py URL: a service in another language. It follows orders as they are placed, and posts a review of each.

It keeps nothing: killed and started again, it begins at the start, and what it has posted before is recognised.
"""
import http.client
import json
import sys
import time
import urllib.request

URL = sys.argv[1]


def orders(behind):
    """(token, event) of every order behind the token, as they come, until the connection ends."""
    with urllib.request.urlopen(f"{URL}/events?type=shop.order.placed&from={behind}", timeout=60) as stream:
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                token = value
            elif field == "data":
                yield token, json.loads(value)


def review(order):
    kind, data = ("flagged", {"reason": "expensive"}) if float(order["data"]["price"]) > 1000 else ("approved", {})
    event = {"specversion": "1.0", "id": order["id"], "source": "/reviewer", "type": f"shop.review.{kind}",
             "subject": order["subject"], "data": data, "correlationid": order["correlationid"], "causationid": order["id"]}
    urllib.request.urlopen(urllib.request.Request(f"{URL}/events", json.dumps(event).encode(),
                                                  {"Content-Type": "application/cloudevents+json"}), timeout=10)


done = "start"
while True:
    try:
        for token, order in orders(done):
            review(order)
            done = token  # not before: what was not reviewed comes again
    except (OSError, http.client.HTTPException) as error:
        print(f"waiting for the shop: {error}", file=sys.stderr)
    time.sleep(0.5)
