#!/usr/bin/env python3
"""The answers of the reporting service against what Python computes from the file, row by row.

After the real import; after imports that kill -9 cut into; with rows folded anew; and with the position of a reply.
"""

import os
import random
import re
import shutil
import tempfile
from collections import defaultdict

import bank_data
import harness
from harness import BANK, wait_until

KILLS = 3
DEPOSITS = 1_000
PAGE_ROWS = 3  # small, so that months take several pages


class Expected:
    """All rows, by nothing but additions."""

    def __init__(self, history):
        self.balances, self.lines, self.days = {}, defaultdict(list), {}
        for account, transactions in history.by_account.items():
            self.add_account(account, transactions)

    def add_account(self, account, transactions):
        balance = 0
        for index, each in enumerate(transactions):
            balance += each.signed_amount
            # The account's first event opens it.
            self.lines[account, each.date[:7]].append((index + 2, each.date, each.signed_amount, balance))
            day = self.days.setdefault(each.date, [0, 0, 0, 0])
            day[0 if each.signed_amount > 0 else 2] += 1
            day[1 if each.signed_amount > 0 else 3] += abs(each.signed_amount)
        self.balances[account] = (balance, len(transactions) + 1)


def pages(client, path, limit, **headers):
    """All rows of a question, page by page."""
    link, rows = f"{path}{'&' if '?' in path else '?'}limit={limit}", []
    cursor = ""
    while cursor is not None:
        answer = client.get(link + (f"&cursor={cursor}" if cursor else ""), **headers)
        if answer.status != 200:
            raise AssertionError(f"GET {link}: {answer.status} {answer.body!r}")
        page = answer.json
        if len(page["rows"]) > limit or ("next" in page and len(page["rows"]) < limit):
            raise AssertionError(f"GET {link}: a page of {len(page['rows'])} rows")
        rows += page["rows"]
        cursor = page.get("next")
    return rows


def balance_of(row):
    return bank_data.minor_of(row["balance"]), row["version"]


def line_of(row):
    return (row["version"], row["time"][:10], bank_data.minor_of(row["amount"]), bank_data.minor_of(row["balance"]))


def day_of(row):
    return [row["deposits"], bank_data.minor_of(row["deposited"]), row["withdrawals"],
            bank_data.minor_of(row["withdrawn"])]


class ReportingTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.class_folder = tempfile.TemporaryDirectory(prefix="leftfold-system-")
        cls.addClassCleanup(cls.class_folder.cleanup)
        cls.history = bank_data.history(cls.class_folder.name)
        cls.expected = Expected(cls.history)

    def check_everything(self, server, **headers):
        with server.client() as client:
            self.check_balances(client, headers)
            self.check_statements(client, headers)
            self.check_days(client, headers)

    def check_balances(self, client, headers):
        rows = pages(client, "/balances", 300, **headers)
        self.assertEqual({row["account"]: balance_of(row) for row in rows}, self.expected.balances)
        self.assertEqual([row["account"] for row in rows], sorted(self.expected.balances))
        for row in rows:
            self.assertEqual((row["currency"], row["open"], row["owner"]),
                             ("CZK", True, f"holder of {row['account']}"))
        for account, expected in self.expected.balances.items():
            answer = client.get(f"/balances/{account}", **headers)
            self.assertEqual((answer.status, balance_of(answer.json)), (200, expected), account)
        self.assertEqual(client.get("/balances?count=true", **headers).json, {"count": len(rows)})
        ranked = pages(client, "/balances?order=balance&descending=true", 300, **headers)
        self.assertEqual([row["account"] for row in ranked],
                         sorted(self.expected.balances, key=lambda each: (self.expected.balances[each][0], each),
                                reverse=True))

    def check_statements(self, client, headers):
        months = sorted({month for _, month in self.expected.lines})
        found = 0
        for account in self.history.by_account:
            for month in months:
                rows = pages(client, f"/statements/{account}?month={month}", PAGE_ROWS, **headers)
                self.assertEqual([line_of(row) for row in rows], self.expected.lines.get((account, month), []),
                                 f"account {account}, {month}")
                found += len(rows)
            self.assertEqual(len(pages(client, f"/statements/{account}", 1000, **headers)),
                             len(self.history.by_account[account]))
        self.assertEqual(found, self.history.size)

    def check_days(self, client, headers):
        rows = pages(client, "/daily-turnover", 100, **headers)
        self.assertEqual({row["day"]: day_of(row) for row in rows}, self.expected.days)
        for day, expected in self.expected.days.items():
            self.assertEqual(day_of(client.get(f"/daily-turnover/{day}", **headers).json), expected, day)
        self.assertEqual(client.get("/daily-turnover/1899-12-31", **headers).status, 404)

    def position_of(self, server):
        """Behind all that was answered: the positions of replies from every partition."""
        with server.client() as client:
            answers = [client.get(f"/accounts/{account}") for account in self.history.by_account]
        return sorted({answer.headers["Leftfold-Position"] for answer in answers})

    def imports(self, server):
        code, out, err = harness.run(BANK, "import", self.history.path, "--url", server.url, "--json")
        self.assertEqual(code, 0, out + err)


class AfterAnImport(ReportingTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = harness.Server(cls.class_folder.name + "/data")
        cls.addClassCleanup(lambda: cls.server.kill())
        code, out, err = harness.run(BANK, "import", cls.history.path, "--url", cls.server.url, "--json")
        if code != 0:
            raise AssertionError(out + err)

    def test_every_row_is_what_the_file_says(self):
        # The import was answered, so with the position of an answer nothing of it may be missing.
        self.check_everything(self.server, Leftfold_Position=self.position_of(self.server))

    def test_rows_folded_anew_are_the_same(self):
        answers, told = set(), False
        while not told:  # a build may be over before anybody asks
            progress = {}
            self.server.kill()
            shutil.rmtree(self.server.data / "projections")
            type(self).server = harness.Server(self.server.data)
            with self.server.client() as client:
                for path in ("/statements/1?month=1993-05", "/balances", "/daily-turnover"):
                    wait_until(lambda: self.is_answered(client.get(path), answers, progress), f"an answer of {path}", pause=0)
            told = bool(progress)
            self.assertLessEqual(answers, {200, 503})
        self.check_everything(self.server)

    def is_answered(self, answer, answers, progress):
        answers.add(answer.status)
        if answer.status == 503:
            self.assertEqual(harness.problem_in(answer.headers, answer.body, 503), "")
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
            self.add_progress(answer.json["detail"], progress)
        return answer.status == 200

    def add_progress(self, detail, progress):
        """Of "the projection 'balances' is building: 400 of 33645 events, 1 %"; it is said once the log was looked at."""
        found = re.fullmatch(r"the projection '(\S+)' is \w+(?:: (\d+) of (\d+) events, (\d+) %)?", detail)
        self.assertIsNotNone(found, detail)
        if found.group(2) is None:
            return
        done, total, percent = (int(each) for each in found.group(2, 3, 4))
        self.assertEqual(percent, done * 100 // total, detail)
        self.assertGreaterEqual(done, progress.get(found.group(1), 0), "progress goes on only")
        progress[found.group(1)] = done


class ReadYourWrites(harness.TestCase):
    def test_a_query_with_the_position_of_a_deposit_shows_it(self):
        dice = random.Random(5)
        with self.serve().client() as writer, harness.Client(writer._connection.port) as reader:
            accounts = [f"account-{number}" for number in range(20)]
            for account in accounts:
                writer.open(account)
            deposited = dict.fromkeys(accounts, 0)
            for _ in range(DEPOSITS):
                account, amount = dice.choice(accounts), dice.randrange(1, 100_000)
                answer = writer.post(f"/accounts/{account}/deposit", {"amount": f"{amount // 100}.{amount % 100:02}"})
                self.assertEqual(answer.status, 200)
                deposited[account] += amount
                row = reader.get(f"/balances/{account}", Leftfold_Position=answer.headers["Leftfold-Position"])
                self.assertEqual((row.status, balance_of(row.json)),
                                 (200, (deposited[account], answer.json["version"])), account)

    def test_a_query_with_the_position_of_another_log_is_refused(self):
        elsewhere = harness.Server(self.folder / "other")
        self.addCleanup(elsewhere.kill)
        with self.serve().client() as client, elsewhere.client() as other:
            client.open("1")
            foreign = other.post("/accounts/1/open", {"owner": "", "currency": "CZK", "overdraft_limit": "0.00",
                                                      "opening_deposit": "0.00"}).headers["Leftfold-Position"]
            answer = client.get("/balances/1", Leftfold_Position=foreign)
            self.assertEqual((answer.status, harness.problem_in(answer.headers, answer.body, 409)), (409, ""))


class Killed(ReportingTest):
    def test_rows_are_right_after_imports_that_kill_9_cut_into(self):
        seed = int(os.environ.get("LEFTFOLD_SEED", random.SystemRandom().randrange(10**6)))
        print(f"again: LEFTFOLD_SEED={seed} {__file__}", flush=True)
        server = bank_data.import_under_kill(self.history, self.data, KILLS, random.Random(seed))
        self.addCleanup(server.kill)
        self.check_everything(server, Leftfold_Position=self.position_of(server))


if __name__ == "__main__":
    harness.main()
