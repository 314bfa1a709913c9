"""Hands of somebody in a hurry, on a mouse and keys or on a touch screen.

They act by real events of the browser, aim at what they saw before, and overlap: the
next key goes down before the last one is up, a key while the mouse is still pressed, a
finger while another one still lies on the glass.
"""

import time

# Keeps when presses were made, when the images changed, and what was called ignored.
WITNESS = """(() => {
  const seen = (window.witness = { pressed: [], changed: [], told: [] });
  for (const name of ["keydown", "pointerdown"])
    addEventListener(name, () => seen.pressed.push(performance.now()), true);
  addEventListener("DOMContentLoaded", () => {
    const watch = (id, act) => {
      const place = document.getElementById(id);
      if (place) new MutationObserver(act).observe(place, { childList: true });
    };
    watch("main", () => seen.changed.push(performance.now()));
    watch("notices", (changes) => changes.forEach((c) => c.addedNodes.forEach((n) =>
      seen.told.push([performance.now(), n.textContent]))));
  });
})()"""

# The middle of everything that a hand can reach now, by name.
LOOK = """() => {
  const found = {};
  const add = (name, element) => {
    if (!element) return;
    const box = element.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const top = document.elementFromPoint(x, y);
    if (top && (element === top || element.contains(top))) found[name] = [x, y];
  };
  document.querySelectorAll(".thumb").forEach((box, n) => add(`image ${n}`, box));
  document.querySelectorAll("#classes button").forEach((button) =>
    add(`class ${button.dataset.label}`, button));
  for (const id of ["accept", "undo", "redo", "back", "next"])
    add(id, document.getElementById(id));
  return found;
}"""

KEYS = {"accept": "Enter", "undo": "Control+z", "redo": "Control+y"}
KEYS |= {"back": "p", "next": "n"}


class Hands:
    """Acts on a page after gaps of 30 to 300 ms.

    Args:
        page: the page in a browser, opened with the script `WITNESS`.
        rng: `random.Random`.
    """

    def __init__(self, page, rng, gaps=(0.03, 0.3)):
        self.page, self.rng, self.gaps = page, rng, gaps
        self.view = {}

    def look(self):
        """Sees what is there now, and moves for a while before the next act."""
        self.view = self.page.evaluate(LOOK)
        return self.view

    def wait(self, seconds=None):
        time.sleep(self.rng.uniform(*self.gaps) if seconds is None else seconds)

    def images(self):
        """Numbers of the images that can be reached."""
        return [int(n.split()[1]) for n in self.view if n.startswith("image")]

    def at(self, name):
        x, y = self.view[name]
        return x + self.rng.uniform(-8, 8), y + self.rng.uniform(-8, 8)


class MouseAndKeys(Hands):
    """The right hand on the mouse, the left one on the keys."""

    down = None  # the key that is still down
    pressed = False  # whether the mouse is

    def rest(self):
        """Lifts what is still down."""
        if self.down:
            self.page.keyboard.up(self.down)
        if self.pressed:
            if self.rng.random() < 0.3:  # the hand is already on its way
                self.page.mouse.move(*self.at(self.rng.choice(list(self.view))))
            self.page.mouse.up()
        self.down, self.pressed = None, False

    def mouse(self, name, shift=False):
        self.rest()
        if shift:
            self.page.keyboard.down("Shift")
        self.page.mouse.move(*self.at(name))
        self.page.mouse.down()
        self.pressed = True
        if self.rng.random() < 0.6:
            self.rest()
        if shift:
            self.page.keyboard.up("Shift")

    def key(self, key):
        if "+" in key:
            self.rest()
            self.page.keyboard.press(key)
            return
        before = self.down
        if before == key:  # else it would be a key that is held
            self.page.keyboard.up(key)
        self.page.keyboard.down(key)
        if before and before != key:
            self.page.keyboard.up(before)
        self.down = key
        if self.rng.random() < 0.5:
            self.rest()

    def click(self, number):
        self.mouse(f"image {number}")

    def choose(self, label):
        if f"class {label}" in self.view and self.rng.random() < 0.3:
            self.mouse(f"class {label}")
        else:
            self.key(self.key_of(label))

    @staticmethod
    def key_of(label):
        return {-1: "u", -2: "b", -3: "x"}.get(label) or str((label + 1) % 10)

    def do(self, name):
        if name in self.view and self.rng.random() < 0.3:
            self.mouse(name)
        else:
            self.key(KEYS[name])

    def twice(self, act):
        """The same once more, at once."""
        self.rest()
        if act == "accept" and self.rng.random() < 0.5:
            self.page.mouse.dblclick(*self.at("accept"))
            return
        key = "Enter" if act == "accept" else self.key_of(act)
        self.page.keyboard.press(key)
        self.page.keyboard.press(key)


class Touch(Hands):
    """Two thumbs."""

    def __init__(self, page, rng, gaps=(0.03, 0.3)):
        super().__init__(page, rng, gaps)
        self.glass = page.context.new_cdp_session(page)
        self.fingers, self.number = {}, 0

    def _send(self, kind):
        points = [
            {"x": x, "y": y, "id": number} for number, (x, y) in self.fingers.items()
        ]
        send = {"type": kind, "touchPoints": points}
        self.glass.send("Input.dispatchTouchEvent", send)

    def rest(self):
        """Lifts the fingers, the first one first."""
        while self.fingers:
            self.fingers.pop(next(iter(self.fingers)))
            self._send("touchMove" if self.fingers else "touchEnd")

    def tap(self, name):
        # The finger before may still lie there, and is lifted after this one came.
        self.number += 1
        self.fingers[self.number] = self.at(name)
        self._send("touchStart")
        while len(self.fingers) > 1:
            self.fingers.pop(next(iter(self.fingers)))
            self._send("touchMove")
        if self.rng.random() < 0.6:
            self.rest()

    def click(self, number):
        self.tap(f"image {number}")

    def choose(self, label):
        self.tap(f"class {label}")

    def do(self, name):
        self.tap(name)

    def twice(self, act):
        self.rest()
        name = "accept" if act == "accept" else f"class {act}"
        for _ in range(2):
            self.tap(name)
            self.rest()
