#!/usr/bin/env python3
"""200 clients transfer money among 50 accounts while the bank is killed with SIGKILL again and again.

    transfers_under_kill.py [--kills N] [--clients N] [--seed N]

Every transfer has an amount of its own, so that its effects are known by their amounts alone, whatever becomes of ids. In
the end, from the events of the accounts: each transfer has taken and given its amount exactly once, or has given it back,
or has moved nothing, as its state says; the sum of all money is what it was; nobody was ever below the limit. Every
transfer that was answered is there, in a final state. While it goes on, every query that names a position includes it.

What this does not prove is durability: SIGKILL leaves the page cache as it is. Simulated crashes do that.
"""

import argparse
import collections
import http.client
import pathlib
import random
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import bank_data
import harness

ACCOUNTS = 50
OPENING, LIMIT = 500_00, 50_00
AMOUNTS = 20_000  # 0.01 to 200.00: some are refused
BETWEEN_KILLS = (100, 500)  # transfers answered
FINAL = {"completed", "compensated", "refused"}
PAUSE_SECONDS = 0.05


class Failure(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Failure(what)


def text_of(minor):
    return f"{minor // 100}.{minor % 100:02}"


class Plan:
    """Transfers, each with its own amount, handed out to the clients."""

    def __init__(self, dice):
        self.dice, self.lock = dice, threading.Lock()
        self.amounts = dice.sample(range(1, AMOUNTS + 1), AMOUNTS)
        self.answered = {}  # id -> (from, to, amount)
        self.stopped = threading.Event()
        self.queries = 0
        self.failures = []

    def next(self):
        with self.lock:
            require(self.amounts, "all amounts are used up: the clients were not stopped")
            source, target = self.dice.sample(range(ACCOUNTS), 2)
            amount = self.amounts.pop()
            if self.dice.random() < 0.15:
                target = "nobody"
        return f"t{amount}", (f"a{source}", target if target == "nobody" else f"a{target}", amount)

    def was_answered(self, transfer, what):
        with self.lock:
            self.answered[transfer] = what

    def count(self):
        with self.lock:
            return len(self.answered)

    def failed(self, what):
        with self.lock:
            self.failures.append(what)
        self.stopped.set()


class Customer(threading.Thread):
    """Starts transfers one after the other, each until it is answered, and asks what it should see then."""

    def __init__(self, plan, port):
        super().__init__(daemon=True)
        self.plan, self.port, self.client = plan, port, None

    def run(self):
        try:
            while not self.plan.stopped.is_set():
                self.transfer(*self.plan.next())
        except Exception as problem:  # a thread's: told to the main one
            self.plan.failed(f"{type(problem).__name__}: {problem}")
        finally:
            if self.client:
                self.client.__exit__()

    def until_answered(self, ask):
        """The answer of a bank that may be away. None: it is not to be had, and the test is over."""
        deadline = time.monotonic() + harness.DEADLINE_SECONDS
        while True:
            try:
                self.client = self.client or harness.Client(self.port)
                answer = ask(self.client)
                if answer.status not in (429, 503):
                    return answer
            except (OSError, http.client.HTTPException):
                if self.client:
                    self.client.__exit__()
                self.client = None
            require(time.monotonic() < deadline, "no answer from the bank")
            time.sleep(PAUSE_SECONDS)

    def transfer(self, transfer, what):
        source, target, amount = what
        body = {"from": source, "to": target, "amount": text_of(amount)}
        answer = self.until_answered(
            lambda client: client.post(f"/transfers/{transfer}/start", body, Idempotency_Key=f"start-{transfer}"))
        require(answer.status == 201, f"start of {transfer}: {answer.status} {answer.body!r}")
        self.plan.was_answered(transfer, what)
        self.ask_for(transfer, answer.headers["Leftfold-Position"])
        self.ask_for_balance(source)

    def ask_for(self, transfer, position):
        answer = self.until_answered(
            lambda client: client.get(f"/transfers/{transfer}", Leftfold_Position=position))
        require(answer.status == 200, f"{transfer} was answered and is not there: {answer.status} {answer.body!r}")

    def ask_for_balance(self, account):
        state = self.until_answered(lambda client: client.get(f"/accounts/{account}"))
        require(state.status == 200, f"account {account}: {state.status} {state.body!r}")
        position = state.headers["Leftfold-Position"]
        row = self.until_answered(lambda client: client.get(f"/balances/{account}", Leftfold_Position=position))
        require(row.status == 200, f"balance of {account}: {row.status} {row.body!r}")
        require(row.json["version"] >= state.json["version"],
                f"balance of {account} at version {row.json['version']} with a position of {state.json['version']}")
        require(row.json["version"] > state.json["version"] or row.json["balance"] == state.json["balance"],
                f"balance of {account}: {row.json} where the account has {state.json}")
        with self.plan.lock:
            self.plan.queries += 1


def transfer_under_kill(plan, folder, kills, clients):
    """Returns the server that outlived it."""
    server = harness.Server(folder / "data")
    with server.client() as client:
        for number in range(ACCOUNTS):
            client.open(f"a{number}", text_of(OPENING), text_of(LIMIT))
    customers = [Customer(plan, server.port) for _ in range(clients)]
    for customer in customers:
        customer.start()
    try:
        for _ in range(kills):
            with plan.lock:
                enough = len(plan.answered) + plan.dice.randint(*BETWEEN_KILLS)
            harness.wait_until(lambda: plan.count() >= enough or plan.stopped.is_set(), f"{enough} answered transfers")
            require(not plan.failures, "; ".join(plan.failures[:3]))
            server.kill()
            server = harness.Server(folder / "data", port=server.port)
        enough = plan.count() + BETWEEN_KILLS[0]
        harness.wait_until(lambda: plan.count() >= enough or plan.stopped.is_set(), f"{enough} answered transfers")
        plan.stopped.set()
        for customer in customers:
            customer.join(harness.DEADLINE_SECONDS)
            require(not customer.is_alive(), "a client does not end")
        require(not plan.failures, "; ".join(plan.failures[:3]))
        return server
    except BaseException:
        plan.stopped.set()
        server.kill()
        raise


def final_states(server, plan):
    states = {}
    with server.client() as client:
        for transfer, (source, target, amount) in plan.answered.items():
            def ended():
                answer = client.get(f"/transfers/{transfer}")
                require(answer.status == 200, f"{transfer}: {answer.status} {answer.body!r}")
                return answer.json if answer.json["state"] in FINAL else None
            state = harness.wait_until(ended, f"the end of {transfer}")
            require((state["from"], state["to"], state["amount"]) == (source, target, text_of(amount)),
                    f"{transfer}: {state}")
            states[transfer] = state["state"]
    return states


def movements(server):
    """What the events of the accounts say: {amount: [(account, sign)]} in order; checks every balance on the way."""
    found, total = collections.defaultdict(list), 0
    with server.client() as client:
        for number in range(ACCOUNTS):
            account, balance = f"a{number}", 0
            events = client.events(f"/accounts/{account}")
            require([int(each["sequence"]) for each in events] == list(range(1, len(events) + 1)),
                    f"account {account}: versions with a gap")
            for index, each in enumerate(events):
                if "amount" not in each["data"]:
                    continue
                sign = 1 if each["type"].endswith(".deposited") else -1
                amount = bank_data.minor_of(each["data"]["amount"])
                balance += sign * amount
                require(balance >= -LIMIT, f"account {account} was at {balance} minor units, its limit is {LIMIT}")
                if index > 1:  # opened, and the opening deposit
                    found[amount].append((account, sign))
            state = bank_data.minor_of(client.get(f"/accounts/{account}").json["balance"])
            require(state == balance, f"account {account}: state {state}, its events sum to {balance}")
            total += balance
    require(total == ACCOUNTS * OPENING, f"{total} minor units of money, there were {ACCOUNTS * OPENING}")
    return found


def check_effects(plan, states, found):
    expected = {}
    for transfer, (source, target, amount) in plan.answered.items():
        expected[amount] = {"completed": [(source, -1), (target, 1)], "compensated": [(source, -1), (source, 1)],
                            "refused": []}[states[transfer]]
        require(sorted(found.get(amount, [])) == sorted(expected[amount]),
                f"{transfer} is {states[transfer]}, and of its amount there is {found.get(amount)}")
    unknown = {amount: moves for amount, moves in found.items() if amount not in expected}
    require(not unknown, f"money moved that no transfer was answered for: {unknown}")


def check_balances(server):
    """The rows of reporting, with the positions of all accounts."""
    with server.client() as client:
        states = {f"a{number}": client.get(f"/accounts/a{number}") for number in range(ACCOUNTS)}
        position = sorted({answer.headers["Leftfold-Position"] for answer in states.values()})
        for account, state in states.items():
            row = client.get(f"/balances/{account}", Leftfold_Position=position)
            require(row.status == 200, f"balance of {account}: {row.status} {row.body!r}")
            require((row.json["balance"], row.json["version"]) == (state.json["balance"], state.json["version"]),
                    f"balance of {account}: {row.json}, the account has {state.json}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed: {arguments.seed}; again: {sys.argv[0]} --kills {arguments.kills} --clients {arguments.clients} "
          f"--seed {arguments.seed}", flush=True)

    threading.stack_size(256 * 1024)
    with tempfile.TemporaryDirectory(prefix="leftfold-crash-") as name:
        begun = time.monotonic()
        plan = Plan(random.Random(arguments.seed))
        server = transfer_under_kill(plan, pathlib.Path(name), arguments.kills, arguments.clients)
        try:
            print(f"{len(plan.answered)} transfers answered and {plan.queries} queries with a position under "
                  f"{arguments.kills} kills: {time.monotonic() - begun:.1f} s", flush=True)
            states = final_states(server, plan)
            print(dict(collections.Counter(states.values())), flush=True)
            for state in FINAL:
                require(state in states.values(), f"no transfer is {state}: this run shows too little")
            check_effects(plan, states, movements(server))
            check_balances(server)
            require(server.stop() == 0, "the last server ended with an error")
        finally:
            server.kill()
    print("every transfer took effect exactly once, or not at all; the sum of all money is what it was")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
