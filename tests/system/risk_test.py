#!/usr/bin/env python3
"""The alerts of the whole history are those that Python finds by the same rules, whatever happens meanwhile.

With the real history they are also those of examples/bank/risk/alerts.golden.json.
    LEFTFOLD_WRITE_GOLDEN=1 writes that file anew, and keeps what it says of each.
"""

import datetime
import json
import os
import random
import shutil

import bank_data
import harness
from harness import BANK, wait_until

GOLDEN = bank_data.REPOSITORY / "examples" / "bank" / "risk" / "alerts.golden.json"
KILLS = 3
WITHDRAWAL_NOTED, WITHDRAWN_MOST, WITHDRAWAL_DAYS = 10_000_00, 80_000_00, 7
DEPOSIT_NOTED, PASS_THROUGH_DAYS = 30_000_00, 3


def days_between(first, last):
    return (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days


class Expected:
    """The rules once more, over the file's rows; in minor units and days."""

    def __init__(self, history):
        self.alerts, self.events = [], 0
        for account, transactions in history.by_account.items():
            self.add_account(account, transactions)
        rules = ["rapid-withdrawals", "pass-through"]  # in the order of the declaration
        self.alerts.sort(key=lambda each: (each["time"], each["account"], each["account_version"],
                                           rules.index(each["rule"])))

    def add_account(self, account, transactions):
        window, deposit = [], None
        for index, each in enumerate(transactions):
            if each.signed_amount >= DEPOSIT_NOTED:
                deposit = each
                self.events += 1
            if -each.signed_amount < WITHDRAWAL_NOTED:
                continue
            self.events += 1
            version = index + 2  # the account's first event opens it
            window = [old for old in window if days_between(old.date, each.date) < WITHDRAWAL_DAYS] + [each]
            total = -sum(one.signed_amount for one in window)
            if total > WITHDRAWN_MOST:
                self.add_alert(account, version, "rapid-withdrawals", total, WITHDRAWN_MOST, window)
                window = []
            if deposit and days_between(deposit.date, each.date) < PASS_THROUGH_DAYS and \
                    20 * abs(-each.signed_amount - deposit.signed_amount) <= deposit.signed_amount:
                self.add_alert(account, version, "pass-through", -each.signed_amount, deposit.signed_amount,
                               [deposit, each])
                deposit = None

    def add_alert(self, account, version, rule, amount, limit, movements):
        self.events += 1
        self.alerts.append({"account": account, "time": movements[-1].date, "account_version": version, "rule": rule,
                            "amount": amount, "limit": limit, "from": movements[0].date,
                            "withdrawals": sum(each.signed_amount < 0 for each in movements)})


def plain(row):
    """A row as Expected writes it; its reason is in words, and the golden file's."""
    return {"account": row["account"], "time": row["time"][:10], "account_version": row["account_version"],
            "rule": row["rule"], "amount": bank_data.minor_of(row["amount"]),
            "limit": bank_data.minor_of(row["limit"]), "from": row["from"][:10], "withdrawals": row["withdrawals"]}


class Risk(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.history = bank_data.history(self.folder)
        self.expected = Expected(self.history)

    def rows(self, server):
        """All alerts by time, once the risk service has heard all there is to hear."""
        wait_until(lambda: server.durable_end("bank.risk") >= self.expected.events,
                   f"{self.expected.events} events of the risk service")
        with server.client() as client:
            behind = [client.get(f"/risk/{account}").headers.get("Leftfold-Position")
                      for account in self.history.by_account]
            position = sorted({each for each in behind if each})
            rows, cursor = [], ""
            while cursor is not None:
                page = client.get("/alerts?order=by_time&limit=20" + (f"&cursor={cursor}" if cursor else ""),
                                  Leftfold_Position=position).json
                rows += page["rows"]
                cursor = page.get("next")
        self.assertEqual(server.durable_end("bank.risk"), self.expected.events)
        return rows

    def check(self, server):
        rows = self.rows(server)
        self.assertEqual([plain(row) for row in rows], self.expected.alerts)
        return rows

    def import_into(self, server):
        code, out, err = harness.run(BANK, "import", self.history.path, "--url", server.url, "--json")
        self.assertEqual(code, 0, out + err)

    def test_alerts_are_those_that_python_finds_also_when_all_is_folded_anew(self):
        server = self.serve()
        self.import_into(server)
        rows = self.check(server)
        self.assertGreater(len(rows), 20)
        self.check_questions(server, rows)
        if self.history.size > 32_000 and os.environ.get("LEFTFOLD_WRITE_GOLDEN"):
            self.write_golden(rows)
        if self.history.path.parent != self.folder:
            self.check_golden(rows)
        for folder in ("projections", "processes"):
            self.assertEqual(server.stop(), 0)
            shutil.rmtree(self.data / folder)
            server = self.serve()
            wait_until(lambda: self.are_served(server), "rows of alerts")
            self.assertEqual(self.check(server), rows)

    def are_served(self, server):
        with server.client() as client:
            return client.get("/alerts").status == 200

    def check_questions(self, server, rows):
        with server.client() as client:
            for account in {row["account"] for row in rows}:
                self.assertEqual(client.get(f"/alerts?account={account}").json["rows"],
                                 [row for row in rows if row["account"] == account])
            self.assertEqual(client.get("/alerts?account=nobody").json["rows"], [])
            day = rows[len(rows) // 2]["time"][:10]
            self.assertEqual(client.get(f"/alerts?time={day}").json["rows"],
                             sorted((row for row in rows if row["time"][:10] == day), key=lambda row: row["account"]))
            account = rows[0]["account"]
            self.assertEqual(client.post(f"/risk/{account}/review", {"note": "seen"}).status, 200)
            self.assertEqual(client.get(f"/risk/{account}").json["alerts_to_review"], 0)
            self.expected.events += 1

    def check_golden(self, rows):
        golden = json.loads(GOLDEN.read_text())["alerts"]
        self.assertEqual([{name: value for name, value in each.items() if name != "why"} for each in golden], rows)
        self.assertTrue(all(each.get("why") for each in golden[:10]), "the first ten say why they are there")

    def write_golden(self, rows):
        key = lambda each: (each["account"], each["time"], each["rule"])
        why = {}
        if GOLDEN.exists():
            why = {key(each): each["why"] for each in json.loads(GOLDEN.read_text())["alerts"] if "why" in each}
        lines = [json.dumps(row | ({"why": why[key(row)]} if key(row) in why else {})) for row in rows]
        GOLDEN.write_text('{"alerts": [\n' + ",\n".join(lines) + "\n]}\n")

    def test_alerts_are_the_same_after_kills_in_the_midst_of_the_import(self):
        seed = int(os.environ.get("LEFTFOLD_SEED", random.SystemRandom().randrange(10**6)))
        print(f"again: LEFTFOLD_SEED={seed} {__file__}", flush=True)
        server = bank_data.import_under_kill(self.history, self.data, KILLS, random.Random(seed))
        self.addCleanup(server.kill)
        self.check(server)


if __name__ == "__main__":
    harness.main()
