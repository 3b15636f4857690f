"""Looks at pages in a headless Chromium: they ask for nothing, run nothing that fails, are not blank, and are as wide as the window.

usage: browser.py CHROMIUM PAGE...

Each PAGE is shown 1200 and 400 pixels wide, in light and in dark. It may load files of its own folder, and nothing else. The browser is
told what to do through a pipe (`--remote-debugging-pipe`: a JSON text and a NUL each), and is started once for all pages.
"""

import base64
import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

chromium, *pages = sys.argv[1:]

# Seconds that it may be silent: on a machine that has much to do its start takes some.
PATIENCE = 120

# What a picture is made of: how bright most of it is, how many colours there are, and how much of it is not of the most frequent one.
LOOK = """(async address => {
    const image = await createImageBitmap(await (await fetch(address)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const counts = new Map();
    for (const pixel of new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer))
        counts.set(pixel, (counts.get(pixel) || 0) + 1);
    const [most, count] = [...counts].reduce((a, b) => b[1] > a[1] ? b : a);
    return {paper: most & 255, colours: counts.size, drawn: 1 - count / (image.width * image.height)};
})"""

# Those that reach out of the window, but for what lies within a box that has a scroll bar of its own.
WIDE = """(() => {
    const scrolls = element => element && (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const wide = [...document.body.querySelectorAll("*")].filter(element =>
        element.getBoundingClientRect().right > innerWidth + 1 && !element.closest("svg *") && !scrolls(element.parentElement));
    const whole = document.documentElement.scrollWidth;
    return whole > innerWidth || wide.length ? `${whole} of ${innerWidth} pixels: ${wide.map(e => e.outerHTML.slice(0, 80))}` : "";
})()"""


class Browser:
    def __init__(self, home):
        to_browser, self.out = os.pipe()
        self.answers, from_browser = os.pipe()
        flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={home}", "--no-first-run", "--disable-gpu"]
        flags += ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
        # What is not in front waits for its turn otherwise.
        flags += ["--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--disable-background-timer-throttling"]
        flags += ["--disable-extensions", "--disable-sync", "--no-pings", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"]
        # It reads from 3 and writes to 4.
        line = ["sh", "-c", f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}', chromium, *flags]
        self.log = open(os.path.join(home, "log"), "w+")
        self.process = subprocess.Popen(line, pass_fds=(to_browser, from_browser), stdout=self.log, stderr=self.log)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.buffer, self.events, self.session = 0, b"", [], None

    def hear(self):
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], PATIENCE)[0]:
                sys.exit(f"{chromium} has said nothing for {PATIENCE} s; the last of it: {self.events[-3:]}")
            part = os.read(self.answers, 1 << 20)
            if not part:
                self.log.seek(0)
                sys.exit(f"{chromium} ended: {self.log.read()}")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        heard = json.loads(text)
        if heard.get("method") == "Page.javascriptDialogOpening":
            # The page waits for that.
            self.send("Page.handleJavaScriptDialog", accept=True)
        return heard

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        return self.number

    def call(self, method, **parameters):
        number = self.send(method, **parameters)
        while True:
            heard = self.hear()
            if heard.get("id") == number:
                assert "error" not in heard, (method, heard)
                return heard["result"]
            self.events.append(heard)

    def until(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.hear())

    def evaluate(self, code):
        found = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def attach(self):
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return self.session


def allowed(url, page):
    return url.startswith("data:") or url.split("#")[0] == page.as_uri() or url.startswith(page.parent.as_uri() + "/maps/")


def wrong(event, page):
    """What is wrong about what the browser tells, if anything is."""
    method, told = event.get("method"), event.get("params", {})
    if method == "Network.requestWillBeSent" and not allowed(told["request"]["url"], page):
        return f"asks for {told['request']['url']}"
    if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening", "Log.entryAdded", "Page.windowOpen"):
        return f"{method}: {told}"
    return None


def look_at(browser, viewer, path, found):
    page = Path(path).resolve()
    session = browser.attach()
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable")
    browser.events.clear()
    browser.call("Page.bringToFront")
    browser.call("Page.navigate", url=page.as_uri())
    browser.until("Page.loadEventFired")
    for width, high in ((1200, 1600), (400, 1600)):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=high, deviceScaleFactor=1, mobile=False)
        for scheme in ("light", "dark"):
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            name = f"{path}, {width} pixels, {scheme}"
            if wide := browser.evaluate(WIDE):
                found.append(f"{name}: is wider than the window: {wide}")
            picture = browser.call("Page.captureScreenshot", format="png")["data"]
            if kept := os.environ.get("MSM_OS_TEST_SCREENSHOTS"):
                Path(kept, f"{page.stem}-{width}-{scheme}.png").write_bytes(base64.b64decode(picture))
            browser.session = viewer
            look = browser.evaluate(f"{LOOK}('data:image/png;base64,{picture}')")
            browser.session = session
            if look["colours"] < 10 or look["drawn"] < 0.01:
                found.append(f"{name}: is blank: {look}")
            if (look["paper"] > 128) != (scheme == "light"):
                found.append(f"{name}: is not {scheme}: {look}")
    problems = {wrong(event, page) for event in browser.events} - {None}
    found.extend(f"{path}: {problem}" for problem in sorted(problems))
    browser.call("Page.close")


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
    browser = Browser(home)
    try:
        viewer = browser.attach()
        found = []
        for path in pages:
            look_at(browser, viewer, path, found)
        browser.session = None
        browser.call("Browser.close")
    finally:
        browser.process.terminate()
        browser.process.wait(PATIENCE)
sys.exit("\n".join(found) or None)
