#!/usr/bin/env python3
"""A thousand clients at once on one account: no update lost, conflicts told, and a history that is linearizable.

The clients and the checker are the program hot_account (tests/system/hot_account).
"""

import random
import sys

import harness

HOT_ACCOUNT = harness.BINARIES / "hot_account"


class HotAccount(harness.TestCase):
    def start_clients(self, server, seed):
        print(f"seed: {seed}; again: hot_account PORT {seed}", file=sys.stderr)
        return self.start(HOT_ACCOUNT, server.port, seed)

    def check(self, clients):
        code = clients.wait(120)
        print(clients.stdout, file=sys.stderr)
        self.assertEqual(code, 0, clients.stderr)

    def test_thousand_clients_history_is_linearizable(self):
        self.check(self.start_clients(self.serve(), random.SystemRandom().randrange(10**6)))

    def test_server_killed_meanwhile_history_is_linearizable(self):
        seed = random.SystemRandom().randrange(10**6)
        dice = random.Random(seed)
        server = self.serve()
        clients = self.start_clients(server, seed)
        for moment in sorted(dice.randrange(50, 1500) for _ in range(3)):
            harness.wait_until(lambda: server.durable_end() >= moment or clients.process.poll() is not None, f"{moment} events")
            server.kill()
            server = self.serve(port=server.port)
        self.check(clients)

    def test_more_commands_than_may_wait_are_told_to_come_again(self):
        self.check(self.start_clients(self.serve("--aggregates-commands-in-flight-max", "40"),
                                      random.SystemRandom().randrange(10**6)))


if __name__ == "__main__":
    harness.main()
