#!/usr/bin/env python3
"""Kills the bank with SIGKILL at ten random moments of an import, and looks at what is there in the end.

    import_under_kill.py [--kills N] [--seed N]

The importer retries until the bank is back; another bank starts at once on the same data directory and port. Then
every balance must be the sum of the file's amounts, every account's versions 1, 2, 3 … without a gap, and every
transaction there exactly once: read over HTTP, and from the files by a reader that shares no code with the engine
(tests/formats/log_reader.py). The expected result never comes from the bank.

What this does not prove is durability: SIGKILL leaves the page cache as it is. The crash tests on the simulated
machine do that (src/log/crash_test.cpp and its like).
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "system"), str(HERE.parent / "formats")]

import bank_data
import harness
import log_reader


class Failure(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Failure(what)


def events_of(history):
    """How many events a history makes: one a transaction, and one more for each account, which its first opens."""
    return history.size + len(history.by_account)


def import_under_kill(history, folder, kills, dice):
    """Returns the importer's summary, and the server that outlived it."""
    total = events_of(history)
    # Well below the end, so that the importer is never done before the last kill.
    moments = sorted(dice.randrange(total // 50, total * 9 // 10) for _ in range(kills))
    server = harness.Server(folder / "data")
    importer = harness.Child([harness.BANK, "import", history.path, "--url", server.url, "--verify", "--json"])
    try:
        for moment in moments:
            harness.wait_until(lambda: importer.process.poll() is not None or server.durable_end() >= moment,
                               f"{moment} durable events")
            require(importer.process.poll() is None, f"the import ended early: {importer.stdout}{importer.stderr}")
            server.kill()
            server = harness.Server(folder / "data", port=server.port)
        code = importer.wait(120)
        require(code == 0, f"bank import: exit code {code}\n{importer.stdout}{importer.stderr}")
        return json.loads(importer.stdout.splitlines()[-1]), server
    except BaseException:
        server.kill()
        raise
    finally:
        importer.kill()


def check_summary(summary, history):
    expected = {"transactions": history.size, "accepted": history.size, "rejected": 0, "duplicates": 0, "mismatches": 0}
    found = {name: summary[name] for name in expected}
    require(found == expected, f"the import says {found}, expected {expected}")


def expected_events(transactions):
    """(command id, type, signed amount or None, date) of each event of an account, in order."""
    first = transactions[0]
    yield first.id, "bank.account.opened", None, first.date
    for each in transactions:
        kind = "deposited" if each.signed_amount > 0 else "withdrawn"
        yield each.id, f"bank.account.{kind}", abs(each.signed_amount), each.date


def check_account(client, account, transactions):
    """The state and the events of one account, against the file. Returns its number of events."""
    answer = client.get(f"/accounts/{account}")
    require(answer.status == 200, f"account {account}: {answer.status}")
    state = answer.json
    exact = sum(each.signed_amount for each in transactions)
    require(bank_data.minor_of(state["balance"]) == exact,
            f"account {account}: balance {state['balance']}, the file's amounts sum to {exact} minor units")

    events = client.events(f"/accounts/{account}")
    versions = [int(each["sequence"]) for each in events]
    require(versions == list(range(1, len(events) + 1)), f"account {account}: versions {versions}")
    require(state["version"] == len(events), f"account {account}: version {state['version']}, {len(events)} events")
    found = [(each["commandid"], each["type"],
              bank_data.minor_of(each["data"]["amount"]) if "amount" in each["data"] else None, each["time"][:10])
             for each in events]
    require(found == list(expected_events(transactions)),
            f"account {account}: the events differ from the file's transactions: {found}")
    return {each["id"] for each in events}


def check_over_http(server, history):
    ids = set()
    count = 0
    with server.client() as client:
        for account, transactions in history.by_account.items():
            found = check_account(client, account, transactions)
            count += len(transactions) + 1
            ids |= found
    require(len(ids) == count, f"{count} events have {len(ids)} ids")


class Records(log_reader.PartitionReader):
    """The records of a partition; the reader itself checks positions, versions and checksums."""

    def __init__(self, *where):
        super().__init__(*where)
        self.found = []

    def add_to_digest(self, event):
        self.found.append(event)


def check_files(data, history):
    manifest = log_reader.read_manifest(data)
    records = []
    for partition in range(manifest["topics"]["bank.account"]):
        reader = Records(str(data), manifest, "bank.account", partition)
        reader.run()
        records += reader.found
    require(len(records) == events_of(history), f"{len(records)} records, expected {events_of(history)}")
    last_version = collections.Counter()
    commands = collections.Counter()
    for record in records:
        key = record["key"]
        last_version[key] += 1
        require(record["version"] == last_version[key],
                f"account {key}: version {record['version']} where {last_version[key]} comes next")
        commands[key, record["command_id"]] += 1
    for account, transactions in history.by_account.items():
        for index, each in enumerate(transactions):
            found, expected = commands[account, each.id], 2 if index == 0 else 1
            require(found == expected, f"transaction {each.id} of account {account}: {found} events")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed: {arguments.seed}; again: {sys.argv[0]} --kills {arguments.kills} --seed {arguments.seed}", flush=True)

    with tempfile.TemporaryDirectory(prefix="leftfold-crash-") as name:
        folder = pathlib.Path(name)
        history = bank_data.history(folder)
        begun = time.monotonic()
        summary, server = import_under_kill(history, folder, arguments.kills, random.Random(arguments.seed))
        try:
            print(f"import with {arguments.kills} kills: {time.monotonic() - begun:.1f} s, {summary}", flush=True)
            check_summary(summary, history)
            check_over_http(server, history)
            require(server.stop() == 0, "the last server ended with an error")
        finally:
            server.kill()
        check_files(folder / "data", history)
    print("every balance right, versions gapless, every transaction once")


if __name__ == "__main__":
    try:
        main()
    except (Failure, log_reader.Damage) as failure:
        sys.exit(f"FAILED: {failure}")
