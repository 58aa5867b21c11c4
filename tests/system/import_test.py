#!/usr/bin/env python3
"""The whole history through HTTP into the running bank, a second time, and as it stood at the end of each month."""

import json
import tempfile

import bank_data
import harness
from harness import BANK, log_ends


def summary_of(out):
    return json.loads(out.splitlines()[-1])


class Import(harness.TestCase):
    """One import for all: each test looks at what it left."""

    @classmethod
    def setUpClass(cls):
        cls.class_folder = tempfile.TemporaryDirectory(prefix="leftfold-system-")
        cls.addClassCleanup(cls.class_folder.cleanup)
        cls.history = bank_data.history(cls.class_folder.name)
        cls.server = harness.Server(cls.class_folder.name + "/data")
        cls.addClassCleanup(cls.server.kill)
        cls.first = cls.run_import()

    @classmethod
    def run_import(cls):
        return harness.run(BANK, "import", cls.history.path, "--url", cls.server.url, "--verify", "--json")

    def test_whole_history_every_transaction_accepted_and_every_balance_right(self):
        code, out, err = self.first
        self.assertEqual(code, 0, err)
        summary = summary_of(out)
        print(summary, flush=True)
        expected = {"transactions": self.history.size, "accepted": self.history.size, "rejected": 0, "duplicates": 0,
                    "mismatches": 0}
        self.assertEqual({name: summary[name] for name in expected}, expected, err)
        self.assertGreater(summary["seconds"], 0)

    def test_again_all_are_duplicates_and_the_log_does_not_grow(self):
        before = log_ends(self.server.data)
        code, out, err = self.run_import()
        self.assertEqual(code, 0, err)
        summary = summary_of(out)
        expected = {"transactions": self.history.size, "accepted": 0, "rejected": 0, "duplicates": self.history.size,
                    "mismatches": 0}
        self.assertEqual({name: summary[name] for name in expected}, expected, err)
        self.assertEqual(log_ends(self.server.data), before)
        self.assertGreaterEqual(sum(before.values()), self.history.size)

    def test_last_day_of_each_month_balances_are_the_sums_of_the_file(self):
        asked = 0
        with self.server.client() as client:
            for account in self.history.by_account:
                for day in self.history.month_ends():
                    answer = client.get(f"/accounts/{account}?at_time={day}")
                    asked += 1
                    self.check_balance(account, day, answer)
        print(f"{asked} balances at the ends of months", flush=True)
        self.assertGreater(asked, 10_000)

    def check_balance(self, account, day, answer):
        expected = self.history.balance_at(account, day)
        where = f"account {account} at the end of {day}"
        if expected is None:
            self.assertEqual(answer.status, 404, where)
            return
        self.assertEqual(answer.status, 200, where)
        balance = bank_data.minor_of(answer.json["balance"])
        exact, recorded = expected
        self.assertEqual(balance, exact, where)
        self.assertLessEqual(abs(balance - recorded), bank_data.SUM_TOLERANCE, where)

    def test_moment_within_a_day_counts_what_happened_until_then(self):
        # Every transaction of the file is dated to the beginning of its day.
        account, transactions = next(iter(self.history.by_account.items()))
        last = transactions[-1].date
        before = sum(each.signed_amount for each in transactions if each.date < last)
        with self.server.client() as client:
            at_midnight = client.get(f"/accounts/{account}?at_time={last}T00:00:00Z").json
            self.assertEqual(bank_data.minor_of(at_midnight["balance"]), self.history.balance(account))
            if before != self.history.balance(account):
                day = next(each.date for each in reversed(transactions) if each.date < last)
                just_before = client.get(f"/accounts/{account}?at_time={day}T23:59:59.999999Z").json
                self.assertEqual(bank_data.minor_of(just_before["balance"]), before)


class Generated(harness.TestCase):
    """The tests stand on the generated history where the real one is not there: it must have the same properties."""

    def test_generated_history_has_the_form_of_the_real_one(self):
        path = self.folder / "generated.csv"
        bank_data.generate(path)
        history = bank_data.History(path)
        self.assertEqual(len(history.by_account), bank_data.ACCOUNTS)
        self.assertGreater(history.size, 30_000)
        self.assertEqual(len({each.id for of in history.by_account.values() for each in of}), history.size)
        lowest = 0
        for account, transactions in history.by_account.items():
            self.assertGreater(transactions[0].signed_amount, 0, account)
            balance, off = 0, 0
            for each in transactions:
                balance += each.signed_amount
                off, off_before = balance - each.recorded_balance, off
                self.assertLessEqual(abs(off), bank_data.SUM_TOLERANCE)
                self.assertLessEqual(abs(off - off_before), bank_data.STEP_TOLERANCE)
                lowest = min(lowest, balance)
        self.assertLess(lowest, 0)
        self.assertGreater(lowest, -20_000_00)

    def test_history_of_bank_generate_is_imported_without_a_mismatch(self):
        code, out, err = harness.run(BANK, "generate", "--transactions", "3000", "--seed", "5")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(harness.run(BANK, "generate", "--transactions", "3000", "--seed", "5")[1], out)
        path = self.folder / "generated.csv"
        path.write_text(out)
        code, out, err = harness.run(BANK, "import", path, "--url", self.serve().url, "--verify", "--json")
        self.assertEqual(code, 0, err)
        self.assertEqual((summary_of(out)["accepted"], summary_of(out)["mismatches"]), (3000, 0))

    def test_same_seed_same_file(self):
        first, second = self.folder / "first.csv", self.folder / "second.csv"
        bank_data.generate(first, 7)
        bank_data.generate(second, 7)
        self.assertEqual(first.read_bytes(), second.read_bytes())


if __name__ == "__main__":
    harness.main()
