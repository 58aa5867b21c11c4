#!/usr/bin/env python3
"""The page at / in a real browser: what it shows is what the bank has, and it is there as soon as it happens.

Leaves screenshots (laptop and phone, light and dark) in $LEFTFOLD_SCREENSHOTS, else beside the binaries.
"""

import os
import pathlib

import bank_data
import browser
import harness
from harness import BANK, wait_until

SCREENSHOTS = pathlib.Path(os.environ.get("LEFTFOLD_SCREENSHOTS", harness.BINARIES.parent / "screenshots"))
SIZES = {"laptop": (1280, 800, False), "phone": (390, 844, True)}

ROWS = """[...document.querySelectorAll('#rows tr')].map((line) =>
    [line.querySelector('.account').textContent, line.lastElementChild.textContent])"""


class Page(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.bank = self.client(self.server)
        self.browser = browser.Browser()
        self.addCleanup(self.browser.close)
        self.browser.size(*SIZES["laptop"])

    def open(self):
        self.browser.open(self.server.url + "/")
        self.browser.wait_for("document.getElementById('status').classList.contains('live')")

    def shown(self):
        return dict(self.browser.value_of(ROWS))

    def wait_for_balance(self, account, text):
        wait_until(lambda: self.shown().get(account) == text, f"balance {text} of {account} on the page: {self.shown()}",
                   pause=0.02)

    def test_balances_move_as_it_happens(self):
        self.bank.open("ada", opening_deposit="12345.60")
        self.open()
        self.wait_for_balance("ada", "12,345.60")
        self.bank.open("ben", opening_deposit="0.07", overdraft_limit="100.00")
        self.wait_for_balance("ben", "0.07")
        for amount, balance in (("1000.00", "13,345.60"), ("0.40", "13,346.00")):
            self.assertEqual(self.bank.post("/accounts/ada/deposit", {"amount": amount}).status, 200)
            self.wait_for_balance("ada", balance)
        self.assertEqual(self.bank.post("/accounts/ben/withdraw", {"amount": "50.00"}).status, 200)
        self.wait_for_balance("ben", "−49.93")
        self.assertEqual(list(self.shown()), ["ben", "ada"])
        self.assertIn("ben paid 50.00", self.browser.value_of("document.getElementById('event-list').textContent"))
        self.assertEqual(self.browser.complaints, [])

    def test_alerts_appear(self):
        self.open()
        self.bank.open("ada", opening_deposit="100000.00")
        self.bank.post("/accounts/ada/withdraw", {"amount": "80000.01"})
        self.browser.wait_for("document.getElementById('alert-list').textContent.includes('took 80,000.01')")
        self.browser.open(self.server.url + "/")
        self.browser.wait_for("document.getElementById('alert-list').textContent.includes('took 80,000.01')")

    def test_money_is_moved_by_hand(self):
        self.bank.open("ada", opening_deposit="10.00")
        self.bank.open("ben")
        self.open()
        self.submit(what="transfer", account="ada", to="ben", amount="2.50")
        self.wait_for_balance("ben", "2.50")
        self.wait_for_balance("ada", "7.50")
        self.submit(what="withdraw", account="ada", amount="8")
        self.browser.wait_for("document.getElementById('answer').textContent === 'Refused: insufficient funds'")
        self.submit(what="open", account="eva <b>", amount="1.5")
        self.wait_for_balance("eva <b>", "1.50")

    def submit(self, **fields):
        values = "".join(f"form.{name}.value = {value!r}; form.{name}.dispatchEvent(new Event('change'));"
                         for name, value in fields.items())
        self.browser.value_of(values + "form.requestSubmit()")

    def test_goes_on_where_it_was_when_the_bank_comes_back(self):
        self.bank.open("ada", opening_deposit="1.00")
        self.open()
        self.wait_for_balance("ada", "1.00")
        self.server.kill()
        self.browser.wait_for("!document.getElementById('status').classList.contains('live')")
        self.server = self.serve(port=self.server.port)
        self.client(self.server).post("/accounts/ada/deposit", {"amount": "2.00"})
        self.wait_for_balance("ada", "3.00")

    def test_whole_import_is_shown_and_looks_right(self):
        history = bank_data.history(self.folder)
        self.open()
        code, out, err = harness.run(BANK, "import", history.path, "--url", self.server.url, "--json")
        self.assertEqual(code, 0, out + err)
        events = history.size + len(history.by_account)
        self.browser.wait_for(f"Number(document.getElementById('count').textContent.replaceAll(',', '')) >= {events}")
        self.check_rows_after_import(history)
        for account in list(history.by_account)[:12]:
            self.bank.post(f"/accounts/{account}/deposit", {"amount": "250.00"})
            self.wait_for_balance(account, self.text_of(history.balance(account) + 250_00))
        self.bank.post("/transfers/demo/start", {"from": next(iter(history.by_account)), "to": "nobody",
                                                  "amount": "20.00"})
        self.browser.wait_for("document.getElementById('event-list').textContent.includes('the money is back')")
        self.take_screenshots()
        self.assertEqual(self.browser.complaints, [])

    def text_of(self, minor):
        return f"{'−' if minor < 0 else ''}{abs(minor) // 100:,}.{abs(minor) % 100:02}"

    def check_rows_after_import(self, history):
        """Those on the page are right; which they are depends on what came last."""
        def right():
            shown = self.shown()
            return len(shown) == 12 and all(shown[each] == self.text_of(history.balance(each)) for each in shown)
        wait_until(right, "the balances of the file on the page", pause=0.02)

    def take_screenshots(self):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for name, (width, height, phone) in SIZES.items():
            self.browser.size(width, height, phone)
            for scheme in ("light", "dark"):
                self.browser.prefer(scheme)
                self.browser.value_of("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
                self.browser.wait_for("document.getAnimations().length === 0")
                self.browser.screenshot(SCREENSHOTS / f"bank-{name}-{scheme}.png")
            self.assertLessEqual(self.browser.value_of("document.documentElement.scrollWidth"), width,
                                 f"nothing is cut off at the side of a {name}")
        print(f"screenshots: {SCREENSHOTS}", flush=True)

    def test_can_be_used_without_seeing_it(self):
        self.open()
        controls = self.browser.controls()
        self.assertGreaterEqual(len(controls), 4)
        self.assertTrue(all(name for _, name in controls), controls)
        self.assertEqual(self.browser.value_of("document.documentElement.lang"), "en")
        unnamed = "[...document.querySelectorAll('section')].filter((each) => !each.getAttribute('aria-labelledby'))"
        self.assertEqual(self.browser.value_of(unnamed + ".length"), 0)

    def test_asks_nobody_but_the_bank(self):
        answer = self.bank.get("/")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        self.assertNotIn(b"://", answer.body.replace(b"http://www.w3.org/2000/svg", b""))


if __name__ == "__main__":
    harness.main()
