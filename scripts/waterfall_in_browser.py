"""Checks the pages that examples/waterfall.rs and the shop write, through Chromium's debugging pipe."""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


class Browser:
    """Headless Chromium, and one page of it."""

    def __init__(self, profile):
        to_read, self.to_write = os.pipe()
        self.to_hear, to_say = os.pipe()

        # Chromium reads from 3 and writes to 4. Both ends are moved out of the way first.
        def place():
            ours, theirs = os.dup2(to_read, 20), os.dup2(to_say, 21)
            os.dup2(ours, 3)
            os.dup2(theirs, 4)

        command = [
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-extensions", "--disable-background-networking",
            "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
        ]
        self.process = subprocess.Popen(
            command, preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_say)
        self.heard, self.number, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Network", "Log"]:
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.hear()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def hear(self):
        while b"\0" not in self.heard:
            more = os.read(self.to_hear, 1 << 16)
            if not more:
                raise RuntimeError("Chromium is gone")
            self.heard += more
        message, self.heard = self.heard.split(b"\0", 1)
        return json.loads(message)

    def open(self, path):
        seen = len(self.events)
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events[seen:]):
            self.events.append(self.hear())

    def run(self, script):
        """The value of an expression, after the next frame."""
        script = f"new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done({script}))))"
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, expression):
        """Waits until this is true, over any number of pages that lead on to the next one."""
        for _ in range(500):
            try:
                if self.run(expression):
                    return True
            except RuntimeError:
                # The page has gone while it was asked.
                pass
            time.sleep(0.02)
        return False

    def press(self, key):
        text = {"text": key} if len(key) == 1 else {}
        if key == "Enter":
            text = {"text": "\r"}
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text):
        self.ask("Input.insertText", text=text)

    def click(self, selector):
        box = self.run(f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])(document.querySelector({selector!r}).getBoundingClientRect())")
        at = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
        self.ask("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.ask("Input.dispatchMouseEvent", type="mouseReleased", **at)

    def drag(self, selector, start, end):
        """Parts of the element's width."""
        x, y, width = self.run(f"(({{x, y, width}}) => [x, y + 9, width])(document.querySelector({selector!r}).getBoundingClientRect())")
        for kind, part in [("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)]:
            self.ask("Input.dispatchMouseEvent", type=kind, x=x + part * width, y=y, button="left", buttons=1, clickCount=1)

    def look(self, path, scheme, width=1400, height=860):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.run("0")
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def close(self):
        self.session = None
        self.ask("Browser.close")
        self.process.wait(timeout=30)


def check(what, is_right):
    if not is_right:
        sys.exit(f"not so: {what}")
    print(f"ok: {what}")


ROWS = "[...document.querySelectorAll('.row .text')].map((text) => text.textContent)"
CHOSEN = "document.querySelector('.row.chosen .text')?.textContent ?? null"
DETAILS = "document.querySelector('#details').hidden ? null : document.querySelector('#details').innerText"
TICKS = "document.querySelector('#ticks').textContent"
TOTAL = "document.querySelector('#all').clientHeight / 26"


def check_order(page, path, folder):
    page.open(path)
    rows = page.run(ROWS)
    check("the root comes first, and its children below it", rows[:2] == ["POST /orders", "authenticate"])
    check("what failed says so", "POST /charge" in rows and page.run("document.querySelectorAll('.tag.bad').length") >= 2)
    check("what was cancelled says so", page.run("document.querySelectorAll('.tag.stopped').length") == 1)
    for scheme in ["light", "dark"]:
        page.look(folder / f"order-{scheme}.png", scheme)

    all_rows = page.run(TOTAL)
    page.press("ArrowLeft")
    check("the left arrow collapses", page.run(TOTAL) == 1)
    page.press("ArrowRight")
    check("the right arrow expands", page.run(TOTAL) == all_rows)
    page.press("ArrowDown")
    check("the down arrow moves to the next row", page.run(CHOSEN) == "authenticate")
    page.press("ArrowUp")
    check("the up arrow moves back", page.run(CHOSEN) == "POST /orders")
    page.press("Enter")
    details = page.run(DETAILS)
    check("enter shows the details", "customer.name" in details and "1042" in details and "the queue is full" in details)
    for scheme in ["light", "dark"]:
        page.look(folder / f"details-{scheme}.png", scheme)
    check("markup in a name is text there", "Robert</script><img src=x onerror=" in details)
    check("what is not to be seen is spelled out", "\\u{202e}\\u{1b}[31m" in details)
    check("no element came of it", page.run("document.images.length === 0 && document.scripts.length === 2"))
    check("no script ran", page.run("document.title").startswith("POST /orders, "))
    page.press("Escape")
    check("escape closes the details", page.run(DETAILS) is None)
    page.press("End")
    ticks = page.run(TICKS)
    page.press("z")
    check("z shows the time of the chosen span alone", page.run(TICKS) != ticks)
    page.look(folder / "zoom-light.png", "light")
    page.press("Escape")
    check("escape shows all of the time", page.run(TICKS) == ticks)
    page.drag("#overview", 0.1, 0.5)
    check("a drag in the overview shows that part", page.run(TICKS) != ticks and page.run("document.querySelectorAll('.bar').length") < all_rows)
    page.drag("#overview", 0.5, 0.5)
    check("a click there shows all", page.run(TICKS) == ticks)
    page.press("Home")
    check("home chooses the root", page.run(CHOSEN) == "POST /orders")
    page.click("#row-1 .twist")
    check("a click on the triangle collapses", page.run(TOTAL) == all_rows - 1)
    page.click("#expand")
    check("everything can be expanded", page.run(TOTAL) == all_rows)
    page.click("#collapse")
    check("everything can be collapsed", page.run(TOTAL) == 1)
    page.click("#row-0 .text")
    check("a click shows the details", "Attributes" in page.run("document.querySelector('#details h3').textContent"))
    page.click("#details .close")
    check("a click closes them", page.run(DETAILS) is None)


def check_search(page, folder):
    page.press("/")
    check("a slash goes to the search", page.run("document.activeElement.id") == "search")
    page.type("BANK.example")
    rows = page.run(ROWS)
    check("the search looks at statuses and events, in any case", rows == ["POST /orders", "pay", "POST /charge"])
    found = page.run("document.querySelector('#found').textContent")
    check("it counts what it finds", found.startswith("2 of "))
    page.look(folder / "search-light.png", "light")
    page.press("Enter")
    check("enter goes to what was found", page.run("document.activeElement.id") == "rows" and page.run(CHOSEN) == "pay")
    page.press("Escape")
    check("escape ends the search", page.run("document.querySelector('#search').value") == "")
    page.press("/")
    page.type("<img src=x")
    check("hostile text can be searched for", page.run(ROWS) == ["POST /orders"])
    check("no element came of that", page.run("document.images.length === 0"))
    page.press("Escape")
    page.press("/")
    page.type("no such thing")
    check("nothing found is nothing shown", page.run(TOTAL) == 0)
    page.press("Escape")


def check_import(page, path, folder):
    page.open(path)
    rows = page.run(ROWS)
    check("a long run is folded", rows[0] == "import prices" and any(" more import row, " in row for row in rows))
    check("the failed ones keep their rows", page.run("document.querySelectorAll('.tag.bad').length") >= 3)
    for scheme in ["light", "dark"]:
        page.look(folder / f"import-{scheme}.png", scheme)
    folded = page.run(TOTAL)
    page.run("[...document.querySelectorAll('.fold')].at(-1).querySelector('.text').click()")
    check("a fold opens", page.run(TOTAL) > folded + 2000)
    check("only what can be seen is in the document", page.run("document.querySelectorAll('.row').length") < 100)
    page.press("End")
    page.look(folder / "import-open.png", "light")
    check("the end can be reached", page.run("document.querySelector('#rows').scrollTop") > 50000)
    page.press("Home")
    page.press("/")
    page.type("2999")
    check("what is folded is found", "import row" in page.run(ROWS))


LIST = "[...document.querySelectorAll('.row .name a')].map((name) => name.textContent)"
SERVICES = "[...document.querySelectorAll('.row')].map((row) => row.children[2].textContent)"
SORTED = "[...document.querySelectorAll('#head [aria-sort]:not([aria-sort=none])')].map((cell) => cell.textContent)"


def check_index(page, folder, pictures):
    index = folder / "index.html"
    pages = len(list(folder.glob("trace-*.html")))
    page.open(index)
    check("the index lists each page", page.run(TOTAL) == pages)
    times = page.run("[...document.querySelectorAll('.row .at')].map((at) => at.textContent)")
    check("the newest trace comes first", times == sorted(times, reverse=True) and page.run(SORTED) == ["Time (UTC) ▼"])
    check("it lists the services of all processes", set(page.run(SERVICES)) == {"orders", "stock", "worker"})
    for scheme in ["light", "dark"]:
        page.look(pictures / f"index-{scheme}.png", scheme)
    page.click("[data-key=name]")
    names = page.run(LIST)
    check("a click on a heading sorts", names == sorted(names, key=str.lower) and page.run(SORTED) == ["Name ▲"])
    page.click("[data-key=errors]")
    check("errors come first", page.run("document.querySelector('.row .bad') === document.querySelector('.row').querySelector('.bad')"))
    page.click("[data-key=errors]")
    check("a second click turns the order", page.run(SORTED) == ["Errors ▲"])
    page.press("/")
    page.type("worker SHIPMENTS")
    check("a search finds all of its words, in any case", set(page.run(LIST)) == {"process shipments"} and page.run(TOTAL) == 2)
    page.look(pictures / "index-search.png", "light")
    page.press("Escape")
    check("escape ends the search of the index", page.run(TOTAL) == pages)
    page.press("Home")
    page.press("ArrowDown")
    check("the keys move", page.run("document.querySelector('.row.chosen').dataset.row") == "1")


def check_ways(page, folder):
    index = folder / "index.html"
    page.open(index)
    page.press("/")
    page.type("process shipments")
    page.click(".row .name a")
    check("a name opens its page", page.until("document.querySelector('h1')?.textContent === 'process shipments'"))
    page.click("#row-0 .text")
    origin = page.run("[...document.querySelectorAll('#details .pairs a')].filter((a) => a.hash.length === 50).length")
    check("links are anchors", origin >= 4)
    page.run("[...document.querySelectorAll('#details .pairs a')].filter((a) => a.hash.length === 50).at(-2).click()")
    check("a link opens the page that has the span", page.until("document.querySelector('h1')?.textContent === 'POST /orders'"))
    check("and chooses the span", page.until(f"({CHOSEN}) === 'send payments' && !document.querySelector('#details').hidden"))
    stock = next(path for path in folder.glob("trace-*.html") if '"name":"POST /reservations","service":"stock"' in path.read_text().splitlines()[0])
    page.open(stock)
    page.click("#row-0 .text")
    page.run("[...document.querySelectorAll('#details .pairs a')].find((a) => a.hash.length === 50).click()")
    check("a parent of another process is found", page.until(f"({CHOSEN}) === 'POST /reservations' && document.querySelector('h1').textContent === 'POST /orders'"))
    page.run("document.querySelector('.facts .id a').click()")
    check("a trace id leads to all parts of the trace", page.until(f"document.title === 'Traces' && ({TOTAL}) === 2"))
    page.ask("Page.navigate", url="about:blank")
    page.ask("Page.navigate", url=index.resolve().as_uri() + "#" + "0" * 31 + "1-" + "0" * 15 + "1")
    check("a trace that is not there says so", page.until("document.querySelector('#notice')?.textContent.startsWith('No page of trace')"))


def check_large_index(page, folder, pictures):
    index = folder / "index.html"
    head, _ = index.read_text().split('\n["trace-', 1)
    hostile = json.dumps("<img src=x>\u202e").replace("<", "\\u003c").replace(">", "\\u003e")
    summary = f'{{"name":{hostile},"service":"many","length":5,"spans":1,"failed":0,"cancelled":0,"notes":[],"links":[]}}'
    lines = [f'["trace-{n:017}-{n:032x}.html",{summary}]' for n in range(1, 12001)]
    lines[7000:7000] = ['["trace-00000000000007', "garbage"]
    large = pictures / "large"
    large.mkdir()
    (large / "index.html").write_text("\n".join([head, *lines, '["trace-000']))
    started = time.monotonic()
    page.open(large / "index.html")
    shown = page.run(TOTAL)
    print(f"10,000 traces are listed after {time.monotonic() - started:.2f} s")
    check("the newest 10,000 are listed, and torn lines are not", shown == 10000)
    check("only what can be seen of the index is in the document", page.run("document.querySelectorAll('.row').length") < 100)
    check("a name of markup is text", page.run("document.images.length") == 0 and page.run(LIST)[0] == "<img src=x>\\u{202e}")
    page.press("End")
    check("the oldest can be reached", page.run("document.querySelector('.row.chosen').dataset.row") == "9999")


def main():
    folder = pathlib.Path(sys.argv[1])
    order, imported = sorted(folder.glob("trace-*.html"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        page = Browser(profile)
        try:
            page.ask("Emulation.setDeviceMetricsOverride", width=1400, height=860, deviceScaleFactor=1, mobile=False)
            check_order(page, order, folder)
            check_search(page, folder)
            check_import(page, imported, folder)
            requests = [e["params"]["request"]["url"] for e in page.events if e.get("method") == "Network.requestWillBeSent"]
            check("both pages open from disk and ask for nothing", requests == [path.resolve().as_uri() for path in (order, imported)])
            shop = folder / "shop"
            check_index(page, shop, folder)
            check_ways(page, shop)
            check_large_index(page, shop, folder)
            requests = [e["params"]["request"]["url"] for e in page.events if e.get("method") == "Network.requestWillBeSent"]
            check("the index asks for nothing but pages", all(url.startswith("file:") and url.endswith(".html") or url == "about:blank" for url in requests))
            faults = [e for e in page.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")]
            check(f"nothing was complained about {faults or ''}".strip(), not faults)
        finally:
            page.close()


main()
