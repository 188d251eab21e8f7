"""A real browser for the tests of the page: Chromium, headless, watched for errors and for requests."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def missing() -> str:
    """Why there is no browser, or nothing."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "needs the package playwright"
    return "" if PROGRAM else "needs chromium on PATH"


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser, for as long as the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """One page in a context of its own, offline, with what it said on the console and asked of the network."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1400, "height": 800}, offline=True, **options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)
        self.wait("() => window.explorer !== undefined")

    def heard(self, message: Any) -> None:
        """Keep what the console complains about."""
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a JavaScript expression or function gives."""
        return self.page.evaluate(script, *arguments)

    def wait(self, condition: str, seconds: float = 20.0) -> None:
        """Wait until a JavaScript function gives true; Playwright's own way needs `eval`, which the page forbids."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"{condition} was not true after {seconds} s")
            time.sleep(0.01)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def text(self, selector: str) -> str:
        """What is written in an element."""
        return str(self.page.inner_text(selector))
