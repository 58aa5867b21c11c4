#!/usr/bin/env python3
"""A bank's history for the tests, and what must come of it.

The history is the real one if it is there ($LEFTFOLD_BANK_CSV, or ../shared/data/bank/transactions.csv beside the
repository), else a generated one of the same form: 800 accounts, 15 months, balances rounded to 10 minor units.

    bank_data.py FILE [--seed N]     writes a generated history

The expected balances come from the file's exact amounts, by addition; nothing here knows of events or folds.
"""

import argparse
import csv
import datetime
import os
import pathlib
import random
from collections import defaultdict
from typing import NamedTuple

import harness

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ACCOUNTS = 800
FIRST_DAY = datetime.date(1993, 1, 1)
LAST_DAY = datetime.date(1994, 3, 31)
DEFAULT_SEED = 1993
COLUMNS = ["transaction_id", "account_id", "date", "kind", "channel", "amount_minor", "balance_minor", "purpose",
           "counterparty_bank", "counterparty_account"]

# How far the recorded balances may be from the exact sums, in minor units: within a step, and over an account's life.
STEP_TOLERANCE = 10
SUM_TOLERANCE = 100


class Transaction(NamedTuple):
    id: str
    account: str
    date: str
    signed_amount: int  # minor units, negative for a withdrawal
    recorded_balance: int


class History:
    """The transactions of a file, of each account in order."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.by_account = defaultdict(list)
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                sign = {"deposit": 1, "withdrawal": -1}[row["kind"]]
                self.by_account[row["account_id"]].append(
                    Transaction(row["transaction_id"], row["account_id"], row["date"], sign * int(row["amount_minor"]),
                                int(row["balance_minor"])))
        self.by_account = dict(self.by_account)
        self.size = sum(len(each) for each in self.by_account.values())

    def balance(self, account):
        return sum(each.signed_amount for each in self.by_account[account])

    def balance_at(self, account, date):
        """The exact balance at the end of a day and the recorded one; None before the first transaction."""
        until = [each for each in self.by_account[account] if each.date <= date]
        if not until:
            return None
        return sum(each.signed_amount for each in until), until[-1].recorded_balance

    def month_ends(self):
        """The last day of each month that the history touches, as ISO dates."""
        dates = [each.date for account in self.by_account.values() for each in account]
        return month_ends(datetime.date.fromisoformat(min(dates)), datetime.date.fromisoformat(max(dates)))


def month_ends(first, last):
    ends, year, month = [], first.year, first.month
    while (year, month) <= (last.year, last.month):
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        ends.append((datetime.date(year, month, 1) - datetime.timedelta(days=1)).isoformat())
    return ends


def minor_of(text):
    """"-12.50" in minor units; refuses what is not the wire form of money."""
    sign = -1 if text.startswith("-") else 1
    whole, cents = text.lstrip("-").split(".")
    if len(cents) != 2 or not whole.isdigit() or not cents.isdigit():
        raise ValueError(f"{text!r} is not money with two digits")
    return sign * (int(whole) * 100 + int(cents))


def _days_of(dice):
    opened = FIRST_DAY + datetime.timedelta(days=dice.randrange(420))
    return [opened] + sorted(opened + datetime.timedelta(days=dice.randint(0, (LAST_DAY - opened).days))
                             for _ in range(dice.randint(10, 71)))


def _rows_of(account, dice):
    """One account's rows, without ids: a salary each month keeps it mostly above zero, and some go below."""
    balance = came = 0
    for index, day in enumerate(_days_of(dice)):
        deposit = index == 0 or balance < -200_000 or dice.random() < 0.4
        if index == 0:
            amount = dice.randrange(20_000, 110_001, 10_000)
        elif deposit:
            large = dice.random() < 0.1
            amount = dice.randint(3_000_000, 6_500_000) if large else dice.randint(100, 2_500_000)
        else:
            # Much at once, now and then, or about as much as has just come: what a rule may look for.
            wish = came * dice.randint(93, 99) // 100 if came >= 3_000_000 and dice.random() < 0.5 else \
                dice.randint(10, 6_500_000 if dice.random() < 0.1 else 1_500_000)
            amount = min(wish, balance + 370_000)
        came = amount if deposit else 0
        balance += amount if deposit else -amount
        bank = not deposit and amount < 3_000
        transfer = not bank and dice.random() < 0.3
        yield {"account_id": account, "date": day.isoformat(), "kind": "deposit" if deposit else "withdrawal",
               "channel": "bank" if bank else f"transfer-{'in' if deposit else 'out'}" if transfer else "cash",
               "amount_minor": amount, "balance_minor": (balance + 5) // 10 * 10,
               "purpose": "statement-fee" if bank else "household" if transfer else "",
               "counterparty_bank": dice.choice(["AB", "KL", "YZ"]) if transfer else "",
               "counterparty_account": dice.randrange(10**7, 10**8) if transfer else ""}


def generate(path, seed=DEFAULT_SEED):
    dice = random.Random(seed)
    numbers = sorted(dice.sample(range(1, 12_000), ACCOUNTS))
    rows = [row for number in numbers for row in _rows_of(number, dice)]
    rows.sort(key=lambda row: row["date"])  # stable: within a day of an account by the chain of its balances
    for row, number in zip(rows, dice.sample(range(1, 3_500_000), len(rows))):
        row["transaction_id"] = number
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def history(folder):
    """The history to test with; one that must be generated goes into `folder`."""
    given = os.environ.get("LEFTFOLD_BANK_CSV")
    real = REPOSITORY.parent / "shared" / "data" / "bank" / "transactions.csv"
    path = pathlib.Path(given) if given else real
    if not path.exists():
        if given:
            raise FileNotFoundError(f"LEFTFOLD_BANK_CSV names {given}, which does not exist")
        path = pathlib.Path(folder) / "transactions.csv"
        if not path.exists():
            generate(path)
    print(f"history: {path}", flush=True)
    return History(path)


def import_under_kill(history, data, kills, dice):
    """`bank import` of it, while the bank is killed and started again; the bank that outlived it."""
    total = history.size + len(history.by_account)
    server = harness.Server(data)
    importer = harness.Child([harness.BANK, "import", history.path, "--url", server.url, "--json"])
    try:
        # Well below the end, so that the importer is never done before the last kill.
        for moment in sorted(dice.randrange(total // 50, total * 9 // 10) for _ in range(kills)):
            harness.wait_until(lambda: importer.process.poll() is not None or server.durable_end() >= moment,
                               f"{moment} durable events")
            if importer.process.poll() is not None:
                raise AssertionError(f"the import ended early: {importer.stdout}{importer.stderr}")
            server.kill()
            server = harness.Server(data, port=server.port)
        if importer.wait(120) != 0:
            raise AssertionError(importer.stdout + importer.stderr)
        return server
    except BaseException:
        server.kill()
        raise
    finally:
        importer.kill()


def main():
    parser = argparse.ArgumentParser(description="Writes a generated history of a bank as CSV.")
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    arguments = parser.parse_args()
    generate(arguments.file, arguments.seed)


if __name__ == "__main__":
    main()
