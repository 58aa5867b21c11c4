#!/usr/bin/env python3
"""Kills the bank with SIGKILL at ten random moments of an import, and looks at what is there in the end.

    import_under_kill.py [--kills N] [--seed N]

The importer retries until the bank is back; another bank starts at once on the same data directory and port. Then
every balance must be the sum of the file's amounts, every account's versions 1, 2, 3 … without a gap, and every
transaction there exactly once: read over HTTP, and from the data directory by a reader that is not the engine's.
The expected result never comes from the bank.

What this does not prove is durability: SIGKILL leaves the page cache as it is. The crash tests on the simulated
machine do that (src/log/crash_test.cpp and its like).
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
LOG_READER = HERE.parent / "formats" / "log_reader.py"

import bank_data
import harness


class Failure(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Failure(what)


def events_of(history):
    """How many events a history makes: one a transaction, and one more for each account, which its first opens."""
    return history.size + len(history.by_account)


def durable_events(server):
    """How far the log of accounts has come, as the running server says; less than none while it starts or is gone."""
    try:
        with server.client() as client:
            text = client.get("/metrics").body.decode()
    except OSError:
        return -1
    return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("leftfold_log_durable_end{") and 'topic="bank.account"' in line)


def import_under_kill(history, folder, kills, dice):
    """Returns the importer's summary, and the server that outlived it."""
    total = events_of(history)
    # Below total, so that no kill waits for events that do not come; gaps are free (positions may have them).
    moments = sorted(dice.randrange(total // 50, total * 9 // 10) for _ in range(kills))
    server = harness.Server(folder / "data")
    importer = harness.Child([harness.BANK, "import", history.path, "--url", server.url, "--verify", "--json"])
    try:
        for moment in moments:
            harness.wait_until(lambda: importer.process.poll() is not None or durable_events(server) >= moment,
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


def check_with_tool(data, history):
    """Beside the folds: the records of the topic, from first to last, each once."""
    code, out, err = harness.run(harness.BANK, "events", "--data", data, seconds=120)
    require(code == 0, f"bank events: exit code {code}: {err}")
    check_records([json.loads(line) for line in out.splitlines()], history,
                  key=lambda each: each["event"]["subject"], version=lambda each: int(each["event"]["sequence"]),
                  command=lambda each: each["event"]["commandid"], place=lambda each: (each["partition"], each["position"]))


def check_records(records, history, key, version, command, place):
    require(len(records) == events_of(history), f"{len(records)} records, expected {events_of(history)}")
    places = {place(each) for each in records}
    require(len(places) == len(records), "two records at one position")
    next_version = collections.Counter()
    commands = collections.Counter()
    for each in records:
        next_version[key(each)] += 1
        require(version(each) == next_version[key(each)],
                f"account {key(each)}: version {version(each)} where {next_version[key(each)]} comes next")
        commands[command(each)] += 1
    for account, transactions in history.by_account.items():
        for index, each in enumerate(transactions):
            expected = 2 if index == 0 else 1
            require(commands[each.id] == expected, f"transaction {each.id} of account {account}: {commands[each.id]} events")


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
        check_with_tool(folder / "data", history)
    print("every balance right, versions gapless, every transaction once")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
