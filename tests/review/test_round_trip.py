"""Whatever somebody can have answered on a page is what is read of its downloads."""

import json
import unicodedata
from importlib import resources

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from keras_dc3 import review
from tests.annotations.helpers import told
from tests.review.driving import write
from tests.review.helpers import NAMES, make_proposals

pytest.importorskip("PIL.Image")

WITHOUT = {-1: "cannot tell", -2: "bad image", -3: "none of these"}
WHEN = "2026-01-01T10:00:00.000Z"
# The scripts that make files of a state, without those that show it.
EXPORT = """(made) => {
  const element = document.createElement("script");
  element.type = "application/json";
  element.id = "data";
  element.textContent = made;
  document.body.append(element);
  const goTo = {};
  %s
  window.exported = (text) => {
    state = usable(text, JSON.parse(text).annotator);
    if (!state) return null;
    regroup();
    return [asJson(), asCsv()];
  };
}"""
SCRIPTS = ("state.js", "store.js", "groups.js", "beyond.js", "export.js")

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"),
    min_size=1,
    max_size=30,
)
# As the page takes them: some letters, no outer blanks, none for a formula in front.
typed = st.from_regex(r"[^\W_][\w ✓狐ثעé😀'\",;-]{0,20}[^\W_]", fullmatch=True)


def labels(classes):
    """A label as the page keeps it, of so many classes."""
    one = st.integers(0, classes - 1)
    pair = st.lists(one, min_size=2, max_size=2, unique=True)
    split = st.builds(lambda ab, p: [*ab, p], pair, st.integers(50, 99))
    return st.one_of(st.sampled_from(sorted(WITHOUT)), one, split)


def alike(name):
    return unicodedata.normalize("NFKC", name).casefold()


@st.composite
def states(draw, content):
    """What the page can have kept of somebody's answers."""
    new = {}
    for name in draw(st.lists(typed, max_size=3)):
        name = unicodedata.normalize("NFC", " ".join(name.split()))
        new.setdefault(alike(name), name)
    added = [name for key, name in new.items() if key not in map(alike, NAMES)]
    label = labels(len(NAMES) + len(added))
    steps = content["steps"]
    groups = [n for n, step in enumerate(steps) if step["kind"] == "group"]
    number = sum(len(step["images"]) for step in steps)
    items, some = st.integers(0, number - 1), st.sampled_from(groups)
    joined = {}
    for later in draw(st.sets(some, max_size=len(groups) // 2)):
        before = [n for n in groups if n < later and n not in joined]
        if before and later not in joined.values():
            joined[later] = draw(st.sampled_from(before))
    return {
        "version": 1,
        "annotator": draw(st.sampled_from(["Anna", "=1+1", "מרים"])),
        "session": "s",
        "started": WHEN,
        "saved": WHEN,
        "changes": draw(st.integers(0, 99)),
        "openings": [["o", 0]],
        "cursor": "0",
        "own": draw(st.dictionaries(items, label.map(lambda one: [one, WHEN]))),
        "marked": draw(st.dictionaries(items, st.just(1))),
        "label": draw(st.dictionaries(some, label)),
        "done": draw(st.dictionaries(some, st.just(WHEN))),
        "seconds": draw(st.dictionaries(some, st.floats(0, 100))),
        "begun": {},
        "added": {len(NAMES) + n: name for n, name in enumerate(added)},
        "notes": draw(st.dictionaries(items, texts, max_size=4)),
        "joined": joined,
    }


def meant(content, state):
    """(image, repetition) -> (kind, class, split), and image -> notes, by the rules."""
    names = {**dict(enumerate(content["classes"])), **state["added"]}
    answers, notes, item = {}, {}, -1
    for number, step in enumerate(content["steps"]):
        place = state["joined"].get(number, number)
        for image in step["images"]:
            item += 1
            name = content["images"][image]
            if item in state["notes"]:
                notes.setdefault(name, []).append(state["notes"][item])
            if item in state["own"]:
                label = state["own"][item][0]
            elif (
                step["kind"] == "group"
                and place in state["done"]
                and item not in state["marked"]
            ):
                label = state["label"].get(place, content["steps"][place]["label"])
            else:
                continue
            answers[name, step.get("again", False)] = as_said(label, names)
    return answers, notes


def as_said(label, names):
    if isinstance(label, list):
        first, second, percent = label
        shares = {names[first]: percent / 100, names[second]: 1 - percent / 100}
        return "split", names[first], pytest.approx(shares)
    if label in WITHOUT:
        return WITHOUT[label], None, None
    return ("class" if label < len(NAMES) else "new class"), names[label], None


def as_read(found):
    records, names = found.annotations.records, found.annotations.class_names
    answers = {}
    for i in range(len(records)):
        label = names[records.label[i]] if records.label[i] >= 0 else None
        split, share = None, float(records.share[i])
        if records.second[i] >= 0:
            split = {label: share, names[records.second[i]]: 1 - share}
        image = found.annotations.ids[records.image[i]]
        key = (image, bool(found.repetition[i]))
        answers[key] = (found.kinds[i], label, split)
    return answers


def notes_of(found):
    return found.notes_of.items()


def test_random_states_come_back_from_both_files(visit, tmp_path):
    proposals = make_proposals(24)
    _, content = write(tmp_path, proposals, control=0.3, repetitions=0.5)
    folder = resources.files("keras_dc3.review")
    scripts = "\n".join(folder.joinpath(n).read_text("utf-8") for n in SCRIPTS)
    page = visit("/dev/null")
    page.evaluate(EXPORT % scripts, json.dumps(content))
    seen = set()

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(states(content))
    def check(state):
        files = page.evaluate("(text) => exported(text)", json.dumps(state))
        assert files is not None, "the page takes its own state for damaged"
        answers, notes = meant(content, state)
        if not answers:
            return
        seen.update(kind for kind, _, _ in answers.values())
        for text, ending in zip(files, ("json", "csv"), strict=True):
            target = tmp_path / f"a.{ending}"
            target.write_bytes(text.encode())
            with told():
                found = review.read(target, proposals=proposals)
            assert as_read(found) == answers
            written = {name: [text for _, text in of] for name, of in notes_of(found)}
            assert written == {n: list(dict.fromkeys(of)) for n, of in notes.items()}
            proposed = found.proposed >= 0
            same = found.annotations.records.label == found.proposed
            split = found.annotations.records.is_split
            assert (found.accepted == (proposed & same & ~split)).all()

    check()
    assert seen == {"class", "new class", "split", *WITHOUT.values()}
