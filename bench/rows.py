"""The rows of the table: what is measured, how often, and against which bar."""

import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

import servers
from processes import load, run_json
from servers import BIN


@dataclass
class Row:
    name: str
    what: str
    ours: float
    other: float | None
    unit: str
    ratio: float | None = None
    bar: float | None = None
    lower_is_better: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.bar is None or self.ratio is None:
            return None
        return self.ratio <= self.bar if self.lower_is_better else self.ratio >= self.bar

    def as_json(self) -> dict:
        return asdict(self) | {"met": self.met}


@dataclass
class Plan:
    """How much is measured. Runs of two things that are compared alternate, so that a busy moment hits both."""
    pairs: int
    seconds: float
    requests: int
    events: int
    aggregates: int


FULL = Plan(pairs=5, seconds=3, requests=4000, events=10_000_000, aggregates=100_000)
QUICK = Plan(pairs=3, seconds=1, requests=1000, events=500_000, aggregates=50_000)


def interleaved(pairs: int, *measures) -> list[float]:
    """The median of each measure over `pairs` rounds, every other round backwards."""
    runs = [[] for _ in measures]
    for measure in measures:
        measure()  # warm-up
    for number in range(pairs):
        order = range(len(measures))
        for index in order if number % 2 == 0 else reversed(order):
            runs[index].append(measures[index]())
    return [statistics.median(values) for values in runs]


def constant_reply(folder: Path, plan: Plan):
    """(a) The server's constant reply against nginx's."""
    with servers.constant(folder) as ours, servers.nginx(folder) as theirs:
        mine, nginx = interleaved(plan.pairs, lambda: load(ours.port, "/", 256, plan.seconds),
                                  lambda: load(theirs.port, "/", 256, plan.seconds))
    yield Row("constant", "constant reply, 256 connections; nginx return 200", mine, nginx, "/s", mine / nginx, 0.9)


def latency(folder: Path, plan: Plan):
    """(b) One client's durable command against the sum of the disk's and the network's share."""
    client = str(BIN / "bench_client")
    with servers.bank(folder) as bank, servers.constant(folder) as constant:
        servers.open_accounts(bank)
        event_bytes = bytes_of_one_deposit(folder, bank)
        count = str(plan.requests)

        def p50(*command):
            return lambda: run_json(list(command))["p50_us"]

        command, sync, reply = interleaved(
            plan.pairs, p50(client, str(bank.port), "deposit", "bench-0", count),
            p50(str(BIN / "bench_sync"), str(folder / "sync"), str(event_bytes), count),
            p50(client, str(constant.port), "get", "/", count))
    yield Row("latency", f"durable command, 1 client, p50; {event_bytes} B written + fdatasync {sync:.0f} + constant reply "
              f"{reply:.0f}", command, sync + reply, "us", command / (sync + reply), 1.15, lower_is_better=True)


def bytes_of_one_deposit(folder: Path, bank) -> int:
    """What one deposit with an id adds to the log: batches end where the zeros of the reserved space begin."""
    def end_of_data() -> int:
        return sum(used_bytes(path) for path in (folder / "bank").rglob("*.log"))

    before = end_of_data()
    run_json([str(BIN / "bench_client"), str(bank.port), "deposit", "bench-0", "100"])
    return (end_of_data() - before) // 100


def used_bytes(path: Path) -> int:
    return len(path.read_bytes().rstrip(b"\0"))


def durable(folder: Path, plan: Plan):
    """(c) Durable commands against the same server's constant reply."""
    with servers.bank(folder) as bank:
        servers.open_accounts(bank)
        for connections in (16, 256):
            command, bare, reply = interleaved(
                plan.pairs, lambda: load(bank.port, "/", connections, plan.seconds, {"accounts": 1000, "ids": True}),
                lambda: load(bank.port, "/", connections, plan.seconds, {"accounts": 1000, "ids": False}),
                lambda: load(bank.port, "/health/live", connections, plan.seconds))
            bar = 0.5 if connections == 256 else None
            yield Row(f"durable-{connections}", f"durable commands with ids, {connections} connections; constant reply",
                      command, reply, "/s", command / reply, bar, note=f"without ids {bare:,.0f}/s")


def rival(folder: Path, plan: Plan):
    """(d) Durable commands and memory against the service written by hand in Go on PostgreSQL."""
    with servers.bank(folder) as bank, servers.rival(folder) as (go, postgres):
        servers.open_accounts(bank)
        servers.open_accounts(go)
        for connections, accounts, bar, where in ((16, 1000, 4, "spread"), (256, 1000, 8, "spread"), (256, 1, 16, "hot")):
            deposit = {"accounts": accounts, "ids": True}
            mine, theirs = interleaved(plan.pairs, lambda: load(bank.port, "/", connections, plan.seconds, deposit),
                                       lambda: load(go.port, "/", connections, plan.seconds, deposit))
            spread = "over 1,000 accounts" if where == "spread" else "on one account"
            yield Row(f"rival-{connections}-{where}", f"durable commands {spread}, {connections} connections; Go + PostgreSQL",
                      mine, theirs, "/s", mine / theirs, bar)
        mine, go_only, database = bank.memory_mb(), go.memory_mb(), postgres.memory_mb()
    yield Row("rival-memory", "memory after that load; Go + PostgreSQL", mine, go_only + database, "MB",
              mine / (go_only + database), 2, lower_is_better=True, note=f"the Go process alone {go_only:.0f} MB")


def big_log(folder: Path, plan: Plan):
    """(e) A log with many events: open, replay, fold, memory of an idle aggregate."""
    program, log = str(BIN / "bench_log"), str(folder / "log")
    made = run_json([program, "generate", log, str(plan.events), str(plan.aggregates)])
    size = sum(path.stat().st_size for path in Path(log).rglob("*.log"))
    found = [run_json([program, "measure", log]) for _ in range(3)]

    def median(name):
        return statistics.median(one[name] for one in found)

    events = f"{plan.events:,} events of {plan.aggregates:,} aggregates, {size / 1e9:.1f} GB"
    yield Row("log-append", f"append through the engine, {events}", made["events_per_second"], None, "/s")
    yield Row("log-open", f"open, {events}", median("open_seconds"), None, "s")
    yield Row("log-replay", f"read, decode and fold all into {plan.aggregates:,} states", median("replay_seconds"), None,
              "s", note=f"{median('replayed_per_second'):,.0f} events/s")
    yield Row("log-fold", "decode and fold, one core", median("folded_per_second"), None, "/s")
    yield Row("log-memory", "memory of an idle aggregate known to the index", median("index_bytes_per_aggregate"), None,
              "B", note=f"{median('index_bytes') / 1e6:.1f} MB in all")


GROUPS = {"constant": constant_reply, "latency": latency, "durable": durable, "rival": rival, "log": big_log}
