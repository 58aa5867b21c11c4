"""Processes of a bench: servers that say when they are ready, their memory, and the load of wrk."""

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

READY_SECONDS_MAX = 60


class BenchError(Exception):
    """What went wrong and what to do; printed without a trace."""


def find(program: str, package: str) -> str:
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise BenchError(f"there is no {program}: script/setup --bench installs {package}")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process in its own process group; ended with the context."""

    def __init__(self, name, command, port, user=None, log=None):
        self.name = name
        self.port = port
        self.log = open(log, "wb") if log else subprocess.DEVNULL
        identity = {}
        if user:
            entry = pwd.getpwnam(user)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        # A service refuses LEFTFOLD_ variables that it does not know, such as LEFTFOLD_BENCH_DATA.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEFTFOLD_")}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT,
                                        start_new_session=True, env=environment, **identity)

    def __enter__(self):
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise BenchError(f"{self.name} ended with {self.process.returncode}{self.last_words()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            time.sleep(0.02)
        raise BenchError(f"{self.name} does not listen on port {self.port}{self.last_words()}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.log is not subprocess.DEVNULL:
            self.log.close()

    def last_words(self) -> str:
        if self.log is subprocess.DEVNULL:
            return ""
        self.log.flush()
        text = Path(self.log.name).read_text(errors="replace").strip()
        return ": " + text[-500:] if text else ""

    def memory_mb(self) -> float:
        """Proportional set size of the process and its children: shared pages are counted once."""
        return sum(pss_kb(pid) for pid in family_of(self.process.pid)) / 1024


def family_of(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def pss_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def run_json(command: list[str]) -> dict:
    """Runs a bench program that prints one JSON line."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def load(port: int, path: str, connections: int, seconds: float, deposit: dict | None = None) -> float:
    """Requests per second of one wrk thread; an error if any answer was not 2xx, or none came."""
    command = [find("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "20s"]
    environment = dict(os.environ)
    if deposit is not None:
        command += ["-s", str(Path(__file__).parent / "wrk" / "deposit.lua")]
        environment |= {"LEFTFOLD_ACCOUNTS": str(deposit["accounts"]), "LEFTFOLD_IDS": "1" if deposit["ids"] else "0",
                        "LEFTFOLD_RUN": f"{time.time_ns():x}"}
    done = subprocess.run(command + [f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True,
                          env=environment)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    bad = re.search(r"Non-2xx or 3xx responses: .*|Socket errors: .*", done.stdout)
    if done.returncode != 0 or not rate or bad or float(rate[1]) == 0:
        raise BenchError(f"wrk on port {port}{path}: {bad[0] if bad else done.stdout + done.stderr}")
    return float(rate[1])


@contextlib.contextmanager
def folder_on_disk(parent: Path):
    """A temporary folder; refused where a sync would cost nothing."""
    parent.mkdir(parents=True, exist_ok=True)
    kind = subprocess.run(["stat", "-f", "-c", "%T", str(parent)], capture_output=True, text=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        raise BenchError(f"{parent} is on {kind}: set LEFTFOLD_BENCH_DATA to a folder on a real disk")
    folder = Path(tempfile.mkdtemp(prefix="leftfold-bench-", dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
