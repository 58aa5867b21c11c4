#!/usr/bin/env python3
"""Transfers over HTTP: where the money is in the end, and what is said about it."""

import harness
from harness import wait_until


class Transfers(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.bank = self.client(self.server)
        self.bank.open("ada", opening_deposit="100.00")
        self.bank.open("ben", opening_deposit="20.00", overdraft_limit="5.00")

    def start(self, transfer, **body):
        return self.bank.post(f"/transfers/{transfer}/start", body)

    def outcome(self, transfer, **body):
        """The final state of a transfer that was accepted."""
        answer = self.start(transfer, **body)
        self.assertEqual(answer.status, 201, answer.body)
        self.assertIn("Leftfold-Position", answer.headers)
        return self.final(transfer)

    def final(self, transfer):
        def ended():
            state = self.bank.get(f"/transfers/{transfer}").json
            return state if state["state"] != "running" else None
        return wait_until(ended, f"the end of transfer {transfer}")

    def balances(self):
        return {account: self.bank.get(f"/accounts/{account}").json["balance"] for account in ("ada", "ben")}

    def check(self, found, expected):
        self.assertEqual({name: found.get(name) for name in expected}, expected)

    def test_money_arrives(self):
        found = self.outcome("1", **{"from": "ada", "to": "ben", "amount": "30.00"})
        self.check(found, {"id": "1", "state": "completed", "from": "ada", "to": "ben", "amount": "30.00",
                           "reason": None})
        self.assertEqual(self.balances(), {"ada": "70.00", "ben": "50.00"})

    def test_what_the_source_refuses_moves_nothing(self):
        for transfer, source, amount, reason in (("1", "ada", "100.01", "insufficient-funds"),
                                                 ("2", "nobody", "1.00", "account-not-open")):
            found = self.outcome(transfer, **{"from": source, "to": "ben", "amount": amount})
            self.check(found, {"state": "refused", "reason": reason, "amount": amount})
        self.assertEqual(self.balances(), {"ada": "100.00", "ben": "20.00"})

    def test_what_the_target_refuses_comes_back(self):
        self.bank.open("gone")
        self.assertEqual(self.bank.post("/accounts/gone/close", {}).status, 200)
        for target in ("gone", "nobody"):
            found = self.outcome("to-" + target, **{"from": "ada", "to": target, "amount": "30.00"})
            self.check(found, {"state": "compensated", "reason": "account-not-open", "to": target})
        self.assertEqual(self.balances(), {"ada": "100.00", "ben": "20.00"})
        kinds = [event["type"].rsplit(".", 1)[1] for event in self.bank.events("/accounts/ada")]
        self.assertEqual(kinds, ["opened", "deposited"] + ["withdrawn", "deposited"] * 2)

    def test_down_to_the_limit_and_no_further(self):
        self.check(self.outcome("1", **{"from": "ben", "to": "ada", "amount": "25.00"}), {"state": "completed"})
        self.check(self.outcome("2", **{"from": "ben", "to": "ada", "amount": "0.01"}), {"state": "refused"})
        self.assertEqual(self.balances(), {"ada": "125.00", "ben": "-5.00"})

    def test_what_is_no_transfer_is_refused_and_leaves_nothing(self):
        for body, reason in (({"from": "ada", "to": "ada", "amount": "1.00"}, "same-account"),
                             ({"from": "ada", "to": "ben", "amount": "0.00"}, "amount-not-positive"),
                             ({"from": "ada", "to": "ben", "amount": "-1.00"}, "amount-not-positive"),
                             ({"from": "", "to": "ben", "amount": "1.00"}, "account-missing")):
            answer = self.start("1", **body)
            self.assertEqual((answer.status, answer.json["reason"]), (409, reason))
            self.assertEqual(harness.problem_in(answer.headers, answer.body, 409), "")
        answer = self.start("1", **{"from": "ada", "to": "ben", "amount": 1})
        self.assertEqual((answer.status, harness.problem_in(answer.headers, answer.body, 400)), (400, ""))
        self.assertEqual(self.bank.get("/transfers/1").status, 404)

    def test_currencies_must_agree_where_one_is_named(self):
        answer = self.bank.post("/accounts/eva/open", {"owner": "Eva", "currency": "EUR", "overdraft_limit": "0.00",
                                                       "opening_deposit": "10.00"})
        self.assertEqual(answer.status, 201)
        body = {"from": "ada", "amount": "1.00"}
        self.check(self.outcome("1", **body, to="ben", currency="CZK"), {"state": "completed", "currency": "CZK"})
        self.check(self.outcome("2", **body, to="ben", currency="EUR"),
                   {"state": "refused", "reason": "currency-mismatch"})
        self.check(self.outcome("3", **body, to="eva", currency="CZK"),
                   {"state": "compensated", "reason": "currency-mismatch"})
        self.assertEqual(self.balances(), {"ada": "99.00", "ben": "21.00"})

    def test_the_same_again_is_the_same_transfer(self):
        body = {"from": "ada", "to": "ben", "amount": "30.00"}
        first = self.bank.post("/transfers/1/start", body, Idempotency_Key="a")
        again = self.bank.post("/transfers/1/start", body, Idempotency_Key="a")
        self.assertEqual((first.status, again.status, again.headers["Idempotent-Replayed"]), (201, 201, "true"))
        other = self.bank.post("/transfers/1/start", body, Idempotency_Key="b")
        self.assertEqual((other.status, other.json["reason"]), (409, "transfer-already-started"))
        self.final("1")
        self.assertEqual(self.balances(), {"ada": "70.00", "ben": "50.00"})

    # Whether the deadline or the withdrawal is first is not known: the money is at the end of one of the two ways.
    def test_deadline_that_passes_at_once_leaves_the_money_in_one_place(self):
        completed = 0
        for number in range(20):
            found = self.outcome(str(number), **{"from": "ada", "to": "ben", "amount": "1.00", "deadline_seconds": 0})
            if found["state"] == "completed":
                completed += 1
            else:
                self.check(found, {"state": "compensated", "reason": "deadline-passed"})
        self.assertEqual(self.balances(), {"ada": f"{100 - completed}.00", "ben": f"{20 + completed}.00"})

    def test_nothing_is_returned_that_is_not_there(self):
        self.outcome("1", **{"from": "ada", "to": "ben", "amount": "1.00"})
        answer = self.bank.post("/transfers/1/return-to", {"account": "ben"})
        self.assertEqual((answer.status, answer.json["reason"]), (409, "nothing-to-return"))


if __name__ == "__main__":
    harness.main()
