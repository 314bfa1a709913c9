"""All groups at a glance, the order within one, and what stands beside its images."""

import numpy as np
import pytest

from keras_dc3.data import SemiSupervisedData
from keras_dc3.data.image_set import ImageSet
from keras_dc3.proposals import Proposals
from tests.review.driving import answers, begin, download, seen, shown_ids, write
from tests.review.helpers import make_images

pytest.importorskip("PIL.Image")

NAMES = ("cat", "dog", "deer")


def several(n=60, seed=0):
    """Proposals of classes and clusters, with embeddings."""
    rng = np.random.default_rng(seed)
    return Proposals(
        [f"img_{i}.png" for i in range(n)],
        rng.random(n),
        rng.dirichlet(np.full(3, 0.5), n),
        rng.dirichlet(np.full(3, 0.5), n),
        NAMES,
        embeddings=rng.normal(size=(n, 4)),
    )


def labeled(n=12, seed=1):
    """Labeled images and their embeddings; two of them are asked about as well."""
    rng = np.random.default_rng(seed)
    ids = ["img_0.png", "img_1.png", *(f"known_{i}.png" for i in range(n - 2))]
    counts = 3 * np.eye(3, dtype=int)[np.arange(n) % 3]
    part = ImageSet(make_images(n, seed=7), ids, counts, NAMES)
    return part, rng.normal(size=(n, 4))


@pytest.fixture
def sheet(visit, tmp_path):
    def open_page(proposals=None, mode="dc3", **options):
        proposals = several() if proposals is None else proposals
        path, made = write(tmp_path, proposals, mode, **options)
        page = visit(path)
        begin(page)
        return page, made

    return open_page


def tiles(page):
    return page.locator("#overview .tile").all_inner_texts()


def test_all_groups_at_a_glance(sheet, tmp_path):
    page, made = sheet(control=0.2)
    press = page.keyboard.press
    groups = [s for s in made["steps"] if s["kind"] == "group"]
    assert page.is_visible("#overall")
    press("g")
    shown = tiles(page)
    assert made["order"] in page.inner_text("#overview")
    assert not page.is_visible("#footer")
    titles = [text.split("\n")[0] for text in shown if "alone" not in text]
    assert titles == [step["title"] for step in groups]
    assert sum("nothing proposed" in text for text in shown) >= 1
    for step in groups:
        text = next(t for t in shown if t.startswith(f"{step['title']}\n"))
        assert f"{len(step['images'])} image" in text and "open" in text
        assert f"Proposed: {made['classes'][step['label']]}" in text and "%" in text
    press("Enter")  # the current place is in focus
    assert page.is_hidden("#overview") and page.is_visible("#footer")
    press("c")  # one key to the first cluster
    cluster = next(s for s in groups if s["name"].startswith("cluster"))
    assert seen(page)["title"] == cluster["title"]
    press("Space")
    press("ArrowRight")
    press("Space")
    press("2")
    press("Space")
    press("Enter")
    press("g")
    text = next(t for t in tiles(page) if t.startswith(f"{cluster['title']}\n"))
    assert "accepted, 1 taken out, 1 named" in text and "Accepted as" in text
    assert any("Taken out of groups" in t for t in tiles(page))
    press("5")
    assert "Go to a group first" in page.inner_text("#notices")
    press("Home")
    press("ArrowRight")
    press("ArrowLeft")
    assert page.evaluate("document.activeElement === document.querySelector('.tile')")
    press("c")
    assert page.is_hidden("#overview") and seen(page)["title"] != cluster["title"]
    press("g")
    page.click(f"#overview .tile:has-text('{groups[0]['title']}') >> nth=0")
    assert seen(page)["title"] == groups[0]["title"]
    press("g")
    press("Control+z")  # takes the acceptance back, and shows it
    assert page.is_hidden("#overview") and seen(page)["title"] == cluster["title"]


def test_time_in_the_overview_is_of_no_group(visit, tmp_path):
    path, _ = write(tmp_path, several(), control=0.0)
    clock = """(() => {
      let ahead = 0;
      const real = performance.now.bind(performance);
      performance.now = () => real() + ahead;
      window.pass = (ms) => { ahead += ms; };
    })()"""
    page = visit(path, script=clock, hurried=True)
    begin(page)
    page.keyboard.press("g")
    page.evaluate("pass(20000)")
    page.mouse.move(50, 300)
    page.keyboard.press("g")
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    key = "Object.keys(localStorage).find((k) => k.includes('/of/'))"
    seconds = page.evaluate(f"JSON.parse(localStorage[{key}]).seconds['0']")
    assert 0.2 < seconds < 10


def test_the_order_on_the_screen_does_not_change_the_answers(sheet, tmp_path):
    page, made = sheet(control=0.0)
    page.keyboard.press("c")
    step = next(s for s in made["steps"] if s["name"].startswith("cluster"))
    typical = shown_ids(page, made)
    assert typical == [made["images"][i] for i in step["images"]]
    page.click(".thumb >> nth=3")
    page.select_option("[aria-label='Order of the images']", "name")
    by_name = shown_ids(page, made)
    assert by_name == sorted(typical, key=lambda n: int(n[4:-4]))
    where = """(sign) => [...document.querySelectorAll(".thumb")].findIndex(
      (box) => box.matches(sign))"""
    for sign in (".here", ".marked"):
        assert by_name[page.evaluate(where, sign)] == typical[3]
    page.keyboard.press("2")  # for the images: the list has no focus
    page.select_option("[aria-label='Order of the images']", "between")
    page.select_option("[aria-label='From the class']", "2")
    page.select_option("[aria-label='to the class']", "0")
    between = shown_ids(page, made)

    def percent(name, label):
        likely = made["likely"][str(made["images"].index(name))]
        return dict(zip(likely[::2], likely[1::2], strict=True)).get(label, 0)

    toward = [percent(n, 2) - percent(n, 0) for n in between]
    assert toward == sorted(toward, reverse=True) and between != typical
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("e")  # the last one on the screen
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    file = download(page, "json", tmp_path / "out.json").read_text("utf-8")
    found = answers(page, tmp_path)
    proposed = made["classes"][step["label"]]
    expected = {name: proposed for name in typical}
    expected[between[-1]] = "deer"
    if between[-1] != typical[3]:
        expected[typical[3]] = "dog"
    assert {n: found[n, False] for n in typical} == expected
    places = [file.index(f'"image": "{name}"') for name in typical]
    assert places == sorted(places)  # in the order of the page


def test_what_the_model_says(sheet):
    """On demand, and of images in groups alone."""
    page, made = sheet(control=0.3)
    grouped = {i for s in made["steps"] if s["kind"] == "group" for i in s["images"]}
    assert set(map(int, made["likely"])) == grouped
    while seen(page)["kind"] != "group":
        page.keyboard.press("n")
    assert not any(page.locator(".odd").all_inner_texts())
    page.keyboard.press("v")
    odds = page.locator(".odd").all_inner_texts()
    assert all("%" in text for text in odds)
    assert page.get_attribute("#odds", "aria-pressed") == "true"
    while seen(page)["kind"] != "single":
        page.keyboard.press("n")
    assert "%" not in page.inner_text("main")
    page.keyboard.press("v")
    page.keyboard.press("w")
    assert page.locator("#notices p").count() == 2 and page.is_hidden("#why")


def test_why_an_image_is_here(sheet):
    examples, embeddings = labeled()
    page, made = sheet(
        several(), control=0.0, examples=examples, example_embeddings=embeddings
    )
    assert len(made["examples"]) <= 10  # not those that are asked about
    page.keyboard.press("c")
    page.keyboard.press("w")
    (name, *_) = shown_ids(page, made)
    image = str(made["images"].index(name))
    text = page.inner_text("#why")
    first, value = made["likely"][image][:2]
    assert f"{NAMES[first]} {value}%" in text
    shown = page.evaluate(
        "[...document.querySelectorAll('#why .example')].map((i) => i.src)"
    )
    near = made["near"][image]
    assert shown == [made["examples"][n] for _, rows in near for n in rows]
    assert [label for label, _ in near] == made["likely"][image][0:4:2]
    page.keyboard.press("1")
    assert "Close this first" in page.inner_text("#why .notices")
    page.keyboard.press("Escape")
    assert page.is_hidden("#why") and seen(page)["kind"] == "group"


def test_nearest_examples():
    """The nearest by angle around the mean, of the classes that are likeliest."""
    from keras_dc3.review.examples import Examples

    part = ImageSet(make_images(4), list("wxyz"), [[1, 0], [1, 0], [0, 1], [0, 1]])
    places = [[5.0, 0.0], [0.0, 5.0], [-3.0, -0.1], [0.0, -2.0]]
    examples = Examples.of(part, ("0", "1"), places)
    mine = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = examples.nearest(mine, [[0, 1], [1, 0], [0, 1], [1, 0]])
    assert found[0] == [(0, [0, 1]), (1, [3, 2])]
    assert found[1] == [(1, [2, 3]), (0, [1, 0])]
    assert found[3][0] == (1, [3, 2])


def test_the_first_card_says_what_classes_are(sheet):
    examples, _ = labeled()
    told = {"cat": "A small animal that purrs.", "deer": "<b>With antlers</b>"}
    page, _ = sheet(control=0.2, class_descriptions=told, examples=examples)
    page.click("#who")
    card = page.inner_text(".card")
    assert all(text in card for text in told.values()) and "own view" in card
    assert page.locator(".card .example").count() == 9
    begin(page, "Ben")
    page.keyboard.press("?")
    assert told["cat"] in page.inner_text("#keyhelp")
    assert page.locator("#keyhelp .example").count() == 9
    page.keyboard.press("Escape")


def test_wrong_examples(tmp_path):
    part, embeddings = labeled()

    def fails(match, **options):
        with pytest.raises((ValueError, TypeError), match=match):
            write(tmp_path, several(), **options)

    fails("holds 'cow', which is none", class_descriptions={"cow": "x"})
    fails("must hold text", class_descriptions={"cat": 1})
    fails("must be a dict", class_descriptions=["cat"])
    fails("must be the data of a training", examples=3)
    fails("these have no counts", examples=ImageSet(make_images(1), ["a"], None, NAMES))
    fails("images of 'cow'", examples={"cow": make_images(1)})
    fails("there are none", example_embeddings=embeddings)
    fails("one row per image", examples=part, example_embeddings=embeddings[:3])
    short = embeddings[:, :2]
    fails("have 4 features", examples=part, example_embeddings=short)
    fails("has the shape", examples={"cat": [np.zeros(3)]})
    data = SemiSupervisedData(part.subset([2, 3, 4, 5]), labels=[2, 0, 1, 2])
    _, made = write(tmp_path, several(), examples=data)
    assert {c: len(rows) for c, rows in made["typical"].items()} == {
        "0": 1,
        "1": 1,
        "2": 2,
    }
    _, made = write(tmp_path, several(), examples={"cat": make_images(5, seed=3)})
    assert len(made["examples"]) == 3
