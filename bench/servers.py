"""The servers that are compared: ours, nginx, and the rival on an own PostgreSQL."""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from processes import BenchError, Server, find, free_port, run_json

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "bench" / "bin"
ACCOUNTS = 1000

NGINX_CONFIG = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    keepalive_requests 1000000000;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "ok\\n"; }}
    }}
}}
"""


def nginx(folder: Path) -> Server:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, port=port))
    # -e: what happens before the configuration is read would go to a log of the system's.
    return Server("nginx", [find("nginx", "nginx"), "-c", str(config), "-e", str(folder / "nginx-error.log")], port,
                  log=folder / "nginx.out")


def constant(folder: Path) -> Server:
    port = free_port()
    return Server("bench_constant", [str(BIN / "bench_constant"), str(port)], port, log=folder / "constant.out")


def bank(folder: Path) -> Server:
    port = free_port()
    return Server("bank", [str(BIN / "bank"), "serve", "--data", str(folder / "bank"), "--port", str(port)], port,
                  log=folder / "bank.out")


def open_accounts(server: Server) -> None:
    run_json([str(BIN / "bench_client"), str(server.port), "open", str(ACCOUNTS), "0"])


def build_rival(folder: Path) -> Path:
    """Compiles the Go rival. Go 1.19, as Debian 12 has it, is enough for the pinned pgx."""
    go = find("go", "golang")
    version = subprocess.run([go, "version"], capture_output=True, text=True).stdout
    number = re.search(r"go(\d+)\.(\d+)", version)
    if not number or (int(number[1]), int(number[2])) < (1, 19):
        raise BenchError(f"the rival needs Go 1.19 or later, here is: {version.strip()}")
    program = folder / "go-postgres"
    done = subprocess.run([go, "build", "-buildvcs=false", "-o", str(program), "."], capture_output=True, text=True,
                          cwd=Path(__file__).parent / "rivals" / "go-postgres",
                          env=os.environ | {"GOFLAGS": "-mod=readonly"})
    if done.returncode != 0:
        raise BenchError("the rival does not compile (its modules come from the Go module proxy, so the first build "
                         f"needs the network): {done.stderr.strip()[-800:]}")
    return program


def postgres_program(name: str) -> str:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    return find(name, "postgresql-15")


@contextlib.contextmanager
def rival(folder: Path):
    """(the rival's server, PostgreSQL's): a fresh cluster with its default settings, so synchronous_commit is on."""
    program = build_rival(folder)
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    data = folder / "postgres"
    data.mkdir()
    if os.geteuid() == 0:
        shutil.chown(data, user, user)
    port = free_port()

    def as_user(*command):
        prefix = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
        done = subprocess.run([*prefix, *command], capture_output=True, text=True, cwd="/")
        if done.returncode != 0:
            raise BenchError(f"{command[0]}: {done.stderr.strip()}")

    as_user(postgres_program("initdb"), "-D", str(data), "-A", "trust", "-U", "bench", "--no-instructions")
    command = [postgres_program("postgres"), "-D", str(data), "-k", str(data), "-p", str(port),
               "-c", "listen_addresses=127.0.0.1"]
    with Server("PostgreSQL", command, port, user=user if os.geteuid() == 0 else None, log=folder / "postgres.out") as db:
        as_user("createdb", "-h", str(data), "-p", str(port), "-U", "bench", "bench")
        own = free_port()
        connection = f"host={data} port={port} user=bench dbname=bench sslmode=disable"
        with Server("the rival", [str(program), "-database", connection, "-port", str(own)], own,
                    log=folder / "rival.out") as server:
            yield server, db
