"""A headless Chromium for the tests, spoken to over its DevTools pipe: no driver, no port, no library.

Where no Chromium is installed, `Browser` says which package to install. $CHROMIUM names another binary.
"""

import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

import harness


class BrowserFailed(Exception):
    pass


def binary():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise BrowserFailed("no Chromium here: script/setup installs it (Debian package chromium)")
    return found


class Browser:
    """One page. Everything that its console complains of is in `complaints`."""

    def __init__(self):
        self.complaints, self._ids, self._received = [], itertools.count(1), b""
        self._folder = tempfile.TemporaryDirectory(prefix="leftfold-browser-", ignore_cleanup_errors=True)
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()

        def pipes_to_3_and_4():
            low, high = os.dup(commands), os.dup(answers)  # neither is 3 or 4, whatever the others are
            harness.die_with_parent()
            os.dup2(low, 3)
            os.dup2(high, 4)

        self._process = subprocess.Popen(
            [binary(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--no-first-run",
             "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--hide-scrollbars",
             "--force-color-profile=srgb", f"--user-data-dir={self._folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=pipes_to_3_and_4, close_fds=False, start_new_session=True)
        os.close(commands)
        os.close(answers)
        self._session = None
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.command(domain + ".enable")

    def command(self, method, **parameters):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next_message(method)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserFailed(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._hear(answer)

    def _next_message(self, waiting_for):
        deadline = time.monotonic() + harness.DEADLINE_SECONDS
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(self._read, 1 << 16) if ready else b""
            if not part:
                raise BrowserFailed(f"no answer to {waiting_for}; the browser's exit code: {self._process.poll()}")
            self._received += part
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)

    def _hear(self, event):
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(each.get("value", each)) for each in parameters["args"]))

    def open(self, url):
        self.command("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value_of(self, expression):
        result = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserFailed(f"{expression}: {result['exceptionDetails']['exception'].get('description')}")
        return result["result"].get("value")

    def wait_for(self, expression, seconds=harness.DEADLINE_SECONDS):
        return harness.wait_until(lambda: self.value_of(expression), expression, seconds, pause=0.02)

    def size(self, width, height, phone=False):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=2 if phone else 1, mobile=phone)

    def prefer(self, scheme):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path):
        image = self.command("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(image))

    def controls(self):
        """Role and name of everything that can be used, as a screen reader is told."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes
                 if not node.get("ignored") and "role" in node]
        return [each for each in found if each[0] in ("textbox", "button", "combobox", "link", "checkbox")]

    def close(self):
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        self._folder.cleanup()
