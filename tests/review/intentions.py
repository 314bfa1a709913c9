"""What a person means on a review sheet, by the rules that people are told.

Written from the help of the page and docs/review.md alone; it knows nothing of the
scripts.
"""

import copy


class Intentions:
    """Keeps where a person is and which answers were meant, from one act to the next.

    Args:
        content: what stands in the page.
    """

    def __init__(self, content):
        self.cards, self.items = [], []
        for step in content["steps"]:
            first = len(self.items)
            again = step.get("again", False)
            self.items += [(content["images"][i], again) for i in step["images"]]
            card = {"kind": step["kind"], "items": range(first, len(self.items))}
            self.cards.append({**card, "proposed": step.get("label")})
        # What was meant so far.
        self.meant = {"own": {}, "marked": set(), "label": {}, "accepted": set()}
        self.past, self.future = [], []
        self.place, self.focus = 0, 0
        self.touched = False  # whether images were marked since the card came

    def places(self):
        """Cards, then ("left", item) for marked images that come again, then "end"."""
        left = [
            ("left", item)
            for number, card in enumerate(self.cards)
            for item in card["items"]
            if item in self.meant["marked"] and number in self.meant["accepted"]
        ]
        return [*range(len(self.cards)), *left, "end"]

    @property
    def kind(self):
        if self.place == "end":
            return "end"
        if isinstance(self.place, int) and self.cards[self.place]["kind"] == "group":
            return "group"
        return "single"

    @property
    def here(self):
        """The items of the group, or the single one."""
        if isinstance(self.place, tuple):
            return [self.place[1]]
        return list(self.cards[self.place]["items"])

    @property
    def aim(self):
        """What a class is for."""
        if self.kind == "single":
            return "single"
        own, marked = self.meant["own"], self.meant["marked"]
        if any(item in marked and item not in own for item in self.here):
            return "marks"
        return "current" if all(item in own for item in self.here) else "group"

    def _go(self, place):
        if place != self.place:
            self.focus, self.touched = 0, False
        self.place = place

    def _act(self, change, following=False):
        before, start = copy.deepcopy(self.meant), self.place
        change()
        if following:
            order = self.places()
            self._go(order[order.index(self.place) + 1])
        self.past.append((before, start, copy.deepcopy(self.meant), self.place))
        self.future = []

    def _mark(self, items):
        for item in items:
            self.meant["own"].pop(item, None)
            self.meant["marked"].add(item)

    def click(self, number):
        """Marks an image, or takes its mark away; a named one is marked again."""
        self.focus, self.touched = number, True
        item = self.here[number]
        own, marked = self.meant["own"], self.meant["marked"]
        if item in marked and item not in own:
            self._act(lambda: marked.discard(item))
        else:
            self._act(lambda: self._mark([item]))

    def range_to(self, number):
        start, end = sorted([self.focus, number])
        self.focus, self.touched = number, True
        self._act(lambda: self._mark(self.here[start : end + 1]))

    def to_the_end(self):
        self.touched = True
        self._act(lambda: self._mark(self.here[self.focus :]))

    def from_here_on(self, label):
        """One class for all images from the current one to the end."""
        self.touched = True
        items = self.here[self.focus :]
        own, marked = self.meant["own"], self.meant["marked"]

        def name():
            own.update(dict.fromkeys(items, label))
            marked.difference_update(items)

        self._act(name)

    def focus_on(self, number):
        self.focus = number

    def choose(self, label):
        """A class, for that which it is for."""
        own, marked = self.meant["own"], self.meant["marked"]

        def name(items):
            for item in items:
                own[item] = label

        def name_marks():
            items = [i for i in self.here if i in marked and i not in own]
            name(items)
            marked.difference_update(items)

        if self.aim == "single":
            self._act(lambda: name(self.here), following=True)
        elif self.aim == "marks":
            self._act(name_marks)
        elif self.aim == "current":
            self._act(lambda: name([self.here[self.focus]]))
        else:
            self._act(lambda: self.meant["label"].update({self.place: label}))

    def accept(self):
        self._act(lambda: self.meant["accepted"].add(self.place), following=True)

    def move(self, by):
        order = self.places()
        at = order.index(self.place) + by
        if 0 <= at < len(order):
            self._go(order[at])

    def undo(self):
        entry = self.past.pop()
        self.future.append(entry)
        self.meant = copy.deepcopy(entry[0])
        self._go(entry[1])

    def redo(self):
        entry = self.future.pop()
        self.past.append(entry)
        self.meant = copy.deepcopy(entry[2])
        self._go(entry[3])

    def answers(self):
        """(image, whether it came again) -> position of the class, -1 for none."""
        found, accepted = {}, self.meant["accepted"]
        for number, card in enumerate(self.cards):
            for item in card["items"]:
                if item in self.meant["own"]:
                    found[self.items[item]] = self.meant["own"][item]
                elif number in accepted and item not in self.meant["marked"]:
                    label = self.meant["label"].get(number, card["proposed"])
                    found[self.items[item]] = label
        return found
