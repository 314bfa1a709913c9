"""Hands of a scripted person on a review sheet: keys, a mouse, or a finger.

They act by real events of the browser and take the time that `SECONDS` says, by the
clock of the page, which stands still between two acts. So a busy machine changes no
figure, and what the page does by the clock (answers given too soon, fingers that rest,
active time) comes when it would come to people.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

# What an act takes, seconds. (a): an assumption; KLM: the keystroke-level model of
# Card, Moran & Newell, 1980.
SECONDS = {
    "look": (0.25, 0.4),  # at an image of a group: one fixation (Rayner, 1998)
    "see": 0.5,  # what kind of card has come, and its class (a)
    "name": 1.2,  # which class an image has, and where that is (KLM, M)
    "key": 0.28,  # KLM, K, of somebody who does not type for a living
    "key again": 0.14,  # the same key once more (a)
    "point": (0.6, 1.1),  # mouse to the target and click: Fitts, see `_fitts`; KLM, P
    "tap": 0.5,  # (a)
    "scroll": 0.5,  # a turn of the wheel, a swipe (a)
    "rest": 0.6,  # a finger that rests, until the image comes large
    "large": 1.0,  # a look at an image in the large view (a)
    "slip seen": 0.8,  # until the hand is on its way to undo it (a)
    "double": 0.09,  # between the presses of a double one (a)
    "too early": (0.05, 0.3),  # after a card came (a)
}

# What the page has told, from its start on.
WITNESS = """addEventListener("DOMContentLoaded", () => {
  window.told = [];
  new MutationObserver((changes) => changes.forEach((c) => c.addedNodes.forEach((n) =>
    window.told.push(n.textContent)))).observe(document.getElementById("notices"),
      { childList: true });
  const data = JSON.parse(document.getElementById("data").textContent);
  window.known = new Map(data.pictures.map((picture, n) => [picture, n]));
});"""

# What can be seen: each thing's middle where a hand can reach it, else null.
SEE = """() => {
  const $ = (id) => document.getElementById(id);
  const at = (element, within) => {
    if (!element || !element.getClientRects().length) return null;
    const all = element.getBoundingClientRect();
    const frame = within?.getBoundingClientRect() ?? all;
    const top = Math.max(all.top, frame.top);
    const bottom = Math.min(all.bottom, frame.bottom);
    if (bottom - top < all.height / 2) return null;
    const box = { left: all.left, top, width: all.width, height: bottom - top };
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const hit = document.elementFromPoint(x, y);
    const there = hit && element.contains(hit);
    return there ? [x, y, Math.min(box.width, box.height)] : null;
  };
  const center = (element) => {
    const box = element.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };
  const main = $("main");
  const classes = {}, beside = {};
  for (const button of $("classes").children) {
    classes[button.dataset.label] = at(button, $("classes"));
    const [x, y] = center(button), [a, b] = center($("classes"));
    beside[button.dataset.label] = [x - a, y - b];
  }
  const buttons = {};
  for (const id of ["accept", "undo", "next", "openmore", "overall", "closelarge",
    "marklarge"]) buttons[id] = at($(id));
  return {
    kind: main.querySelector(".grid") ? "group" : main.querySelector(".single")
      ? "single" : "card",
    title: main.querySelector("h2").textContent,
    place: $("place").textContent.split(" · ")[0],
    accept: $("accept").querySelector("bdi")?.textContent ?? "",
    images: [...main.querySelectorAll(".thumb, .frame")].map((box) => ({
      picture: window.known.get(box.querySelector("img").src), at: at(box, main),
      column: box.offsetLeft, marked: box.classList.contains("marked"),
    })),
    classes, beside, strip: center($("classes")), buttons,
    scroll: main.scrollTop,
    below: main.scrollHeight - main.clientHeight - main.scrollTop,
    high: main.clientHeight, middle: center(main),
    told: window.told.length,
    here: [...main.querySelectorAll(".thumb")].findIndex((box) =>
      box.classList.contains("here")),
  };
}"""


def _fitts(distance: float, width: float) -> float:
    """Returns the seconds to point at a target so far and wide, and to click."""
    least, most = SECONDS["point"]
    return min(most, max(least, 0.4 + 0.15 * math.log2(distance / width + 1)))


class Hands:
    """What all hands have in common.

    Args:
        page: in a browser, with `WITNESS`, and a clock that stands still.
        rng: of all chance.
    """

    way = ""

    def __init__(self, page: Any, rng: random.Random):
        self.page, self.rng = page, rng
        self.acts: Counter[str] = Counter()
        self.seconds = 0.0
        self.view: dict[str, Any] = {}
        self.last: Callable[[], None] = lambda: None  # presses the same once more

    def wait(self, what: str) -> None:
        """Lets the time pass that something takes."""
        seconds = SECONDS[what]
        if isinstance(seconds, tuple):
            seconds = self.rng.uniform(*seconds)
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self.seconds += seconds
        self.page.clock.run_for(round(1000 * seconds))

    def see(self) -> dict[str, Any]:
        """Sees what is there now."""
        self.view = self.page.evaluate(SEE)
        return self.view

    def again(self) -> None:
        """Presses the same once more, at once."""
        self.wait("double")
        self.last()

    def _scrolled(self, act: Callable[[], None]) -> None:
        """Scrolls, and waits until the browser has done it, in its own time."""
        before = self.view["scroll"]
        self.wait("scroll")
        self.acts["scrolls"] += 1
        act()
        for _ in range(200):
            if self.see()["scroll"] != before:
                return
            time.sleep(0.01)
        raise RuntimeError("The page did not scroll.")

    @property
    def columns(self) -> int:
        """How many images stand beside each other."""
        return len({image["column"] for image in self.view["images"]})


class Keys(Hands):
    """One hand on the keys; images are gone to by arrows."""

    way = "keys"

    def __init__(self, page: Any, rng: random.Random):
        super().__init__(page, rng)
        self.before = ""

    def key(self, key: str) -> None:
        """Presses a key."""
        self.wait("key again" if key == self.before else "key")
        self._press(key)
        self.before, self.last = key, lambda: self._press(key)

    def _press(self, key: str) -> None:
        self.acts["keys"] += 1
        self.page.keyboard.press(key)

    def go(self, n: int, focus: int) -> None:
        """Goes to an image, by the fewest arrows."""
        columns = self.columns
        down, right = n // columns - focus // columns, n % columns - focus % columns
        straight = abs(n - focus) <= abs(down) + abs(right)
        aside = ["ArrowRight" if right > 0 else "ArrowLeft"] * abs(right)
        along = ["ArrowDown" if down > 0 else "ArrowUp"] * abs(down)
        path = aside + along if down > 0 else along + aside
        if straight:
            path = ["ArrowRight" if n > focus else "ArrowLeft"] * abs(n - focus)
        for key in path:
            self.key(key)

    def mark(self, n: int, focus: int) -> None:
        """Marks an image."""
        self.go(n, focus)
        self.key("Space")

    def to_the_end(self, n: int, focus: int) -> None:
        """Marks an image and all after it."""
        self.go(n, focus)
        self.key("e")

    def choose(self, label: int) -> None:
        """Chooses a class."""
        self.key(str((label + 1) % 10))

    def accept(self) -> None:
        """Accepts the group."""
        self.key("Enter")

    def undo(self) -> None:
        """Takes the last act back."""
        self.key("Control+z")

    def scroll(self, to: int, focus: int) -> None:
        """Shows the images up to one, by going there."""
        self.go(to, focus)

    def large(self, n: int, focus: int) -> None:
        """Shows an image large."""
        self.go(n, focus)
        self.key("z")

    def close_large(self, taken_out: bool) -> None:
        """Goes back from the large view."""
        del taken_out
        self.key("Escape")

    def order(self) -> None:
        """Puts the images of groups in the order between two classes, by keys."""
        for _ in range(12):
            self.key("Shift+Tab")
            if self.page.evaluate("document.activeElement.tagName") == "SELECT":
                break
        self.key("ArrowDown")
        self.key("Escape")

    def next(self) -> None:
        """Goes on without an answer."""
        self.key("n")

    def to_cluster(self) -> None:
        """Goes to the next cluster."""
        self.key("c")


class Pointer(Hands):
    """What a mouse and a finger have in common: they press what they see."""

    def press(self, at: list[float]) -> None:
        """Presses a place."""
        raise NotImplementedError

    def button(self, name: str) -> None:
        """Presses a button by its id."""
        self.press(self.view["buttons"][name])

    def mark(self, n: int, focus: int) -> None:
        """Marks an image."""
        del focus
        self.press(self.view["images"][n]["at"])

    def choose(self, label: int) -> None:
        """Chooses a class; where its button is out of sight, the strip is moved."""
        if self.view["classes"][str(label)] is None:
            self.move_strip(label)
        self.press(self.view["classes"][str(label)])

    def move_strip(self, label: int) -> None:
        """Brings the button of a class into sight."""
        raise NotImplementedError

    def accept(self) -> None:
        """Accepts the group."""
        self.button("accept")

    def undo(self) -> None:
        """Takes the last act back."""
        self.button("undo")

    def next(self) -> None:
        """Goes on without an answer."""
        self.button("next")

    def order(self) -> None:
        """Chooses an order; the list of a browser is no part of the page."""
        if self.page.evaluate("innerWidth") < 500:
            self.wait("scroll")
            self.acts["scrolls"] += 1  # the tools are a strip there
        for _ in range(2):
            self._pass(max(SECONDS["point"]) if self.way == "mouse" else SECONDS["tap"])
            self.acts[f"{self.unit}s"] += 1
        self.page.select_option(".tools select >> nth=0", "between")

    unit = ""

    def to_cluster(self) -> None:
        """Goes to the first cluster by the overview."""
        self.button("overall")
        tile = self.page.locator("#overview .tile", has_text="cluster ").first
        for _ in range(50):
            at = tile.evaluate(
                "(tile) => { const b = tile.getBoundingClientRect();"
                " const p = tile.closest('#overview').getBoundingClientRect();"
                " return [b.left + b.width / 2, b.top + b.height / 2, b.height,"
                " p.top, p.bottom]; }"
            )
            if at[3] < at[1] < at[4]:
                self.press(at[:3])
                return
            self.wait("scroll")
            self.acts["scrolls"] += 1
            by = 0.8 * (at[4] - at[3])
            self.page.evaluate("(by) => overview.scrollBy(0, by)", by)
        raise RuntimeError("The overview has no cluster.")


class Mouse(Pointer):
    """One hand on the mouse."""

    way, unit = "mouse", "click"

    def __init__(self, page: Any, rng: random.Random):
        super().__init__(page, rng)
        self.place = (640.0, 430.0)

    def press(self, at: list[float], shift: bool = False) -> None:
        """Goes to a place and clicks."""
        x, y, width = at
        x, y = (value + self.rng.uniform(-0.2, 0.2) * width for value in (x, y))
        self._pass(_fitts(math.dist(self.place, (x, y)), width))
        self.page.mouse.move(x, y)
        self.place = (x, y)
        if shift:
            self.page.keyboard.down("Shift")
        self._click(1)
        if shift:
            self.page.keyboard.up("Shift")
        self.last = lambda: self._click(2)

    def _click(self, number: int) -> None:
        self.acts["clicks"] += 1
        self.page.mouse.down(click_count=number)
        self.page.mouse.up(click_count=number)

    def up_to(self, n: int) -> None:
        """Marks all from the last image to this one."""
        self.press(self.view["images"][n]["at"], shift=True)

    def scroll(self, to: int, focus: int) -> None:
        """Shows the images below."""
        del to, focus
        x, y = self.view["middle"]
        by = 0.85 * self.view["high"]
        self.page.mouse.move(x, y)
        self.place = (x, y)
        self._scrolled(lambda: self.page.mouse.wheel(0, by))

    def large(self, n: int, focus: int) -> None:
        """Shows an image large by Z; it must be clicked, and so marked, before."""
        del focus
        if self.view["kind"] == "group":
            self.press(self.view["images"][n]["at"])
        self.wait("key")
        self.acts["keys"] += 1
        self.page.keyboard.press("z")  # the button may be out of sight

    def close_large(self, taken_out: bool) -> None:
        """Goes back from the large view; what was only looked at is not marked."""
        if taken_out:
            self.button("marklarge")
        self.button("closelarge")


class Finger(Pointer):
    """One finger on the glass of a phone."""

    way, unit = "touch", "tap"

    def __init__(self, page: Any, rng: random.Random):
        super().__init__(page, rng)
        self.glass = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        found = [{"x": x, "y": y} for x, y in points]
        send = {"type": kind, "touchPoints": found}
        self.glass.send("Input.dispatchTouchEvent", send)

    def press(self, at: list[float]) -> None:
        """Taps a place."""
        self.wait("tap")
        self._tap(at[0], at[1])
        self.last = lambda: self._tap(at[0], at[1])

    def _tap(self, x: float, y: float) -> None:
        self.acts["taps"] += 1
        self._send("touchStart", (x, y))
        self._send("touchEnd")

    def _swipe(self, at: list[float], across: float, down: float) -> None:
        """Moves the finger so that what lies beneath moves by so much."""
        x, y = at
        self._send("touchStart", (x, y))
        for part in range(1, 9):
            self._send("touchMove", (x - across * part / 8, y - down * part / 8))
        time.sleep(0.1)  # by the browser's own time: the finger has stopped, no fling
        self._send("touchMove", (x - across, y - down))
        self._send("touchEnd")

    def move_strip(self, label: int) -> None:
        """Swipes the strip of classes."""
        self.wait("scroll")
        self.acts["scrolls"] += 1
        self._swipe(self.view["strip"], *self.view["beside"][str(label)])
        for _ in range(200):
            if self.see()["classes"][str(label)]:
                return
            time.sleep(0.01)
        raise RuntimeError(f"The button of class {label} does not come into sight.")

    def scroll(self, to: int, focus: int) -> None:
        """Shows the images below."""
        del to, focus
        by = min(0.8 * self.view["high"], self.view["below"])
        x, y = self.view["middle"]
        at = [x, y + 0.4 * self.view["high"]]
        self._scrolled(lambda: self._swipe(at, 0, by))

    def from_here_on(self, n: int, label: int) -> None:
        """Names all images from one to the end, by the menu."""
        self.button("openmore")
        at = self.page.locator("#morelist button", has_text="From here").bounding_box()
        self.press([at["x"] + at["width"] / 2, at["y"] + at["height"] / 2, 1])
        self.see()
        self.press(self.view["images"][n]["at"])
        self.see()
        self.choose(label)

    def large(self, n: int, focus: int) -> None:
        """Shows an image large, by a finger that rests on it."""
        del focus
        x, y, _ = self.view["images"][n]["at"]
        self._send("touchStart", (x, y))
        self.wait("rest")
        self._send("touchEnd")
        self.acts["taps"] += 1

    def close_large(self, taken_out: bool) -> None:
        """Goes back from the large view."""
        del taken_out
        self.button("closelarge")


WAYS: dict[str, type[Hands]] = {"keys": Keys, "mouse": Mouse, "touch": Finger}
