#!/usr/bin/env python3
"""Holds README.md to its word: its first service is a project that builds, and answers what the page shows.

readme_service.py extract README FOLDER    writes the page's C++ and CMake blocks as FOLDER/hello.cpp and CMakeLists.txt
readme_service.py try README BINARY        serves on a free port and runs the page's curl commands against it
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile


def block(readme, start):
    """The body of the first fenced block that begins with `start`."""
    match = re.search(rf"^```{start}.*?^```$", readme, re.MULTILINE | re.DOTALL)
    if not match:
        sys.exit(f"README.md has no block that begins with ```{start!r}")
    return match.group(0).split("\n", 1)[1].removesuffix("```")


def extract(readme, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, language in (("hello.cpp", "cpp"), ("CMakeLists.txt", "cmake")):
        target, text = folder / name, block(readme, language + "\n")
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


def examples(readme):
    """(curl's arguments, the JSON below) for each curl command that shows an answer."""
    lines = block(readme, r"\n\$ \./hello serve").splitlines()
    for command, answer in zip(lines, lines[1:]):
        if command.startswith("$ curl ") and answer.startswith("{"):
            yield shlex.split(command.removeprefix("$ curl "), comments=True), json.loads(answer)


def try_out(readme, binary):
    shown = list(examples(readme))
    if not shown:
        sys.exit("README.md shows no curl command with its answer")
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen([binary, "serve", "--data", data, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            port = re.search(r"http://[^:]+:(\d+)", server.stdout.readline()).group(1)
            for arguments, wanted in shown:
                here = [each.replace("localhost:8080", f"127.0.0.1:{port}") for each in arguments]
                got = json.loads(subprocess.run(["curl", "--max-time", "20", *here], check=True, capture_output=True).stdout)
                if got != wanted:
                    sys.exit(f"{shlex.join(arguments)}\n  README.md: {wanted}\n  answer:    {got}")
            server.terminate()
            if server.wait(20) != 0:
                sys.exit(f"the service ended with {server.returncode} at SIGTERM")
        finally:
            server.kill()
            server.wait()
    print(f"{len(shown)} answers as README.md shows them")


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("extract", "try"):
        sys.exit(__doc__)
    readme = pathlib.Path(sys.argv[2]).read_text()
    if sys.argv[1] == "extract":
        extract(readme, pathlib.Path(sys.argv[3]))
    else:
        try_out(readme, sys.argv[3])


main()
