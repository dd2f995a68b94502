"""A real browser without a window, spoken to over a pipe in the DevTools protocol: no driver, no network, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def browser_program() -> str | None:
    """Where Chromium is; none where it is not installed."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


class Tab:
    """One tab; everything that happens in it is kept in `events`."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self.rest = b""
        self.number = 0
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method and waits for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.reading], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser did not answer"
            found = os.read(self.reading, 1 << 20)
            assert found, "the browser is gone"
            self.rest += found
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path | str, width: int = 1200, height: int = 900, phone: bool = False) -> None:
        """Opens a page in a window of this size, and waits until it is there; what happened before is forgotten."""
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        # A page that differs by what follows # alone would not be loaded again.
        for url in ("about:blank", page if isinstance(page, str) else page.as_uri()):
            self.events.clear()
            self.send("Page.navigate", url=url)
            self.wait("Page.loadEventFired")

    def wait(self, method: str) -> None:
        while not any(each.get("method") == method for each in self.events):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """What an expression is in the page."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def prefer(self, scheme: str = "light", media: str = "") -> None:
        """Light or dark; and `print` for how it looks on paper."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self, place: Path, whole: bool = True) -> None:
        """A screenshot of the whole page, or of the window."""
        made = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        place.write_bytes(base64.b64decode(made["data"]))

    def paper(self, place: Path) -> None:
        """The page as a PDF."""
        made = self.send("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        place.write_bytes(base64.b64decode(made["data"]))

    def named(self, method: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [each["params"] for each in self.events if each.get("method") == method]


#: Chromium reads from descriptor 3 and writes to 4; the pipes go there by way of numbers that are neither.
_START = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Tab]:
    """A browser with one tab; it is gone when the block ends."""
    to_us, from_browser = os.pipe()
    to_browser, from_us = os.pipe()
    arguments = [
        program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
        "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", "--force-color-profile=srgb", "--no-proxy-server",
        f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip

    command = [sys.executable, "-c", _START, str(to_browser), str(from_browser), *arguments]
    started = subprocess.Popen(
        command, pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        tab = Tab(to_us, from_us)
        targets = tab.send("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        tab.session = tab.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.send(f"{domain}.enable")
        yield tab
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        os.close(to_us)
        os.close(from_us)
