"""What stands on a review sheet."""

import base64
import hashlib
import html
import io
import re
import warnings
from importlib import resources

import numpy as np
import pytest

from keras_dc3.data import read_image
from keras_dc3.data.image_set import ImageSet
from keras_dc3.proposals import Proposals
from keras_dc3.review.page import as_inert_json
from tests.review.helpers import (
    HOSTILE,
    blind,
    content,
    groups,
    make_images,
    make_proposals,
    write_folder,
)

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "review.html"


def write(path, proposals=None, images=None, mode="dc3", **options):
    proposals = make_proposals() if proposals is None else proposals
    images = make_images(len(proposals)) if images is None else images
    assert proposals.to_review(path, images, mode, **options) == (str(path),)
    return content(path)


def test_every_image_stands_there_once(path):
    for mode in ("none", "classes", "dc3"):
        page = write(path, mode=mode, repetitions=0.0)
        members = [name for _, _, ids in groups(page) for name in ids]
        alone = [name for name, _ in blind(page)]
        assert sorted(members + alone) == sorted(make_proposals().ids)
        assert len(alone) == (30 if mode == "none" else 3)


def test_groups_are_those_of_the_proposals(path):
    proposals = make_proposals()
    page = write(path, proposals, control=0.0)
    for shown, group in zip(groups(page), proposals.groups(), strict=True):
        name, label, ids = shown
        assert name == (f"class {group.name}" if group.kind == "class" else group.name)
        assert label == group.proposed_class
        assert ids[: len(group.medoids)] == list(group.medoids)
        others = [i for i in group.ids if i not in group.medoids]
        assert ids[len(group.medoids) :] == others
    steps = page["steps"]
    assert [s["description"] for s in steps] == [
        g.description for g in proposals.groups()
    ]


def test_predicted_classes_without_clusters(path):
    proposals = make_proposals()
    page = write(path, proposals, mode="classes", control=0.0)
    for name, label, ids in groups(page):
        assert name == f"class {proposals.class_names[label]}"
        assert all(proposals[i].class_index == label for i in ids)
        sure = [proposals[i].class_probability for i in ids]
        assert sure == sorted(sure, reverse=True)


def test_the_order_follows_the_seed(path):
    first = write(path, mode="none", seed=3)
    assert write(path, mode="none", seed=3) == first
    assert blind(write(path, mode="none", seed=4)) != blind(first)
    shown = blind(write(path, control=0.5, seed=3))
    assert blind(write(path, control=0.5, seed=4)) != shown


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_leave_their_place(path, name):
    proposals = make_proposals(6, [name, *"abcde"], (name, "dog", "deer"))
    page = write(path, proposals, title=name)
    assert page["classes"][0] == page["title"] == name and name in page["images"]
    text = path.read_text("utf-8")
    assert text.count("<script") == text.count("</script") == 2
    assert text.isascii() or not re.search("[\u2028\u2029]", text)
    plain = make_proposals(6, list("fabcde"), ("cat", "dog", "deer"))
    write(path, plain, title="x")

    def frame(text):
        return re.sub(r'(id="data">).*?(</script>)', r"\1\2", text)

    assert frame(text) == frame(path.read_text("utf-8"))


def test_inert_json():
    text = as_inert_json({"a": "</script><!--&\u2028\u2029é"})
    assert not re.search("[<>&\u2028\u2029é]", text)


def test_the_policy_allows_this_script_alone(path):
    write(path)
    text = path.read_text("utf-8")
    policy = html.unescape(re.search(r'content="(default-src.*?)"', text)[1])
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy and "http" not in policy
    for kind in ("script", "style"):
        body = re.search(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)[1]
        digest = hashlib.sha256(body.encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    vendored = resources.files("keras_dc3.review") / "vendor/panzoom.min.js"
    text = text.replace(vendored.read_text("utf-8"), "")  # names SVG and its licence
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub("data:.*", "", text))


def test_thumbnails(path):
    def first(images, **options):
        page = write(path, make_proposals(2), images, "classes", control=0, **options)
        urls = dict(zip(page["images"], page["pictures"], strict=True))
        head, data = urls["img_0.png"].split(",")
        return head, Image.open(io.BytesIO(base64.b64decode(data)))

    small = make_images(2, side=20)
    head, picture = first(small)
    assert head == "data:image/png;base64" and np.array_equal(picture, small[0])
    head, picture = first(make_images(2, side=300))
    assert head == "data:image/jpeg;base64" and picture.size == (160, 160)
    assert first(np.zeros((2, 100, 400, 1), "uint8"))[1].size == (160, 40)
    assert first(make_images(2, side=300), thumbnail_size=32)[1].size == (32, 32)
    flat = np.zeros((2, 8, 8, 1), "float32")
    flat[0, :4], flat[1] = 1.0, -1.0
    assert np.array(first(flat)[1])[[0, -1], 0].tolist() == [255, 128]


def test_forms_of_the_same_images(path, tmp_path):
    proposals = make_proposals(5, [f"sub/{i}.png" for i in range(5)])
    images = make_images(5)
    page = write(path, proposals, images)
    folder = write_folder(tmp_path / "images", images, proposals.ids)
    turned = ImageSet(images[::-1], list(proposals.ids)[::-1])
    named = dict(zip(proposals.ids[::-1], images[::-1], strict=True))
    for form in (folder, str(folder), turned, list(images), named):
        assert write(path, proposals, form) == page


def test_a_dict_of_images(path):
    """Of several sizes and kinds; floating-point images share one range."""
    images = {
        "img_0.png": np.full((4, 9), 51, "uint8"),
        "img_1.png": np.full((5, 5, 3), 0.2, "float32"),
        "img_2.png": [[-1.0, 1.0], [-1.0, 1.0]],
    }
    page = write(path, make_proposals(3), images, mode="none")
    found = {}
    for name, url in zip(page["images"], page["pictures"], strict=True):
        data = base64.b64decode(url.split(",")[1])
        found[name] = np.array(Image.open(io.BytesIO(data)))
    assert found["img_0.png"].shape == (4, 9) and (found["img_0.png"] == 51).all()
    assert found["img_1.png"].shape == (5, 5, 3) and (found["img_1.png"] == 153).all()
    assert found["img_2.png"].tolist() == [[0, 255]] * 2
    del images["img_1.png"]
    with pytest.warns(UserWarning, match=r"1 of 3 .*'img_1\.png' is not among"):
        write(path, make_proposals(3), images)
    images["img_1.png"] = np.full((5, 5), np.nan)
    with pytest.raises(ValueError, match=r"The image 'img_1\.png' of `images`: .*NaN"):
        write(path, make_proposals(3), images)


def test_a_set_with_more_images(path):
    proposals, images = make_proposals(5), make_images(7)
    page = write(path, proposals, images[:5])
    more = ImageSet(images, [*proposals.ids, "x", "y"])
    assert write(path, proposals, more) == page


def test_kinds_of_image_files(path, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    gray = np.arange(64, dtype="uint8").reshape(8, 8)
    Image.fromarray(gray).save(folder / "L.png")
    deep = np.arange(64).reshape(8, 8) * 65  # 12 bits
    Image.fromarray(deep.astype("uint16")).save(folder / "I.png")
    Image.fromarray((deep / 4095).astype("float32")).save(folder / "F.tif")
    Image.fromarray(deep.astype("int32")).save(folder / "I.tif")
    Image.fromarray(gray).convert("1").save(folder / "1.png")
    Image.fromarray(gray).convert("P").save(folder / "P.gif")
    Image.fromarray(gray).convert("CMYK").save(folder / "cmyk.jpg")
    clear = np.zeros((8, 8, 4), "uint8")
    Image.fromarray(clear).save(folder / "clear.png")
    turned = Image.fromarray(np.zeros((4, 8), "uint8"))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif)
    ids = sorted(p.name for p in folder.iterdir())
    page = write(path, make_proposals(len(ids), ids), folder, mode="none")
    found = {}
    for name, url in zip(page["images"], page["pictures"], strict=True):
        data = base64.b64decode(url.split(",")[1])
        found[name] = np.array(Image.open(io.BytesIO(data)))
    assert np.array_equal(found["L.png"], gray)
    for name in ("I.png", "F.tif", "I.tif"):  # as in training, not black
        assert np.allclose(found[name], deep / 4095 * 255, atol=0.51)
        assert np.array_equal(found[name], read_image(folder / name)[..., 0])
    assert (found["clear.png"] == 255).all() and found["turned.jpg"].shape == (8, 4)


def test_missing_and_damaged_files_are_left_out(path, tmp_path):
    ids = ["a.png", "b.png", "gone.png", "bad.png", "../out.png"]
    folder = write_folder(tmp_path / "images", make_images(2), ids[:2])
    write_folder(tmp_path, make_images(1), ["out.png"])
    (folder / "bad.png").write_bytes((folder / "a.png").read_bytes()[:60])
    with pytest.warns(UserWarning, match=r"3 of 5 images are left out.*'gone\.png'"):
        page = write(path, make_proposals(5, ids), folder)
    assert sorted(page["images"]) == ids[:2]
    with pytest.raises(ValueError, match=r"nothing to review: 'img_0\.png' is no file"):
        write(path, make_proposals(2), folder)
    some = ImageSet(make_images(2), ["img_1.png", "x"])
    with pytest.warns(UserWarning, match=r"2 of 3 .*'img_0\.png' is not among"):
        assert write(path, make_proposals(3), some)["images"] == ["img_1.png"]


@pytest.mark.parametrize("mode", ["none", "classes", "dc3"])
def test_several_pages(path, mode):
    proposals = make_proposals(50)
    with pytest.warns(UserWarning, match=r"50 images make \d pages.*review-1\.html"):
        names = proposals.to_review(
            path, make_images(50), mode, max_images_per_page=12, title="T"
        )
    pages = [content(name) for name in names]
    assert [name[-6] for name in names] == [str(i + 1) for i in range(len(names))]
    assert sorted(i for page in pages for i in page["images"]) == sorted(proposals.ids)
    assert max(len(page["images"]) for page in pages) <= 12
    assert len({page["page"] for page in pages}) == len(pages)
    assert len({page["fingerprint"] for page in pages}) == 1
    titles = [page["title"] for page in pages]
    assert titles == [f"T ({i + 1} of {len(pages)})" for i in range(len(pages))]


def test_what_the_marks_of_a_page_depend_on(path):
    """Other images, classes or modes are another set, other groups another page."""
    base = write(path, make_proposals(), make_images(30))
    other_pixels = write(path, make_proposals(), make_images(30, seed=1))
    other_ids = write(path, make_proposals(ids=[f"x{i}" for i in range(30)]))
    other_classes = write(path, make_proposals(names=("cat", "dog", "deer")))
    other_mode = write(path, mode="classes")
    marks = [base, other_pixels, other_ids, other_classes, other_mode]
    assert len({page["fingerprint"] for page in marks}) == 5
    assert len({page["page"] for page in marks}) == 5
    next_round = write(path, make_proposals(seed=1))
    same, (last, other) = zip(
        *(mark["fingerprint"].rsplit("-", 1) for mark in (base, next_round)),
        strict=True,
    )
    assert len(set(same)) == 1 and last != other
    assert next_round["page"] != base["page"]
    again = write(path, make_proposals())
    assert again["page"] == base["page"]
    named = write(path, make_proposals(), round_name="second")
    assert named["page"] != base["page"]


def test_a_new_round_with_nothing_proposed_is_another_page(path):
    """The steps of the two pages are the same."""
    base = write(path, mode="none")
    next_round = write(path, make_proposals(seed=1), mode="none")
    assert next_round["steps"] == base["steps"]
    assert next_round["page"] != base["page"]


def test_wrong_arguments(path):
    def fails(error, match, proposals=None, images=None, **options):
        with pytest.raises(error, match=match):
            write(path, proposals, images, **options)
        assert not path.exists()

    fails(ValueError, "`mode` must be one of", mode="dc4")
    fails(ValueError, "`control`", control=1.5)
    fails(ValueError, "`repetitions`", repetitions=-0.1)
    fails(ValueError, "`repetitions` must be at most 0.5", repetitions=0.6)
    fails(TypeError, "`title` must be text. Received: title=5", title=5)
    fails(TypeError, "`round_name` must be text", round_name=2)
    fails(ValueError, "`seed`", seed=-1)
    fails(ValueError, "`thumbnail_size`", thumbnail_size=0)
    fails(ValueError, "`max_images_per_page`", max_images_per_page=0)
    fails(ValueError, "30 ids for 29 images", images=make_images(29))
    fails(ValueError, "where there is no folder", images="no/such/folder")
    fails(TypeError, "Received: int", images=3)
    fails(ValueError, "1 or 3 channels", images=np.zeros((30, 4, 4, 2), "uint8"))
    fails(ValueError, "outer blanks", make_proposals(2, [" a", "b"]))
    fails(ValueError, "valid Unicode", make_proposals(2, ["a\ud800", "b"]))
    none = Proposals([], [], np.zeros((0, 2)), np.zeros((0, 3)), ["a", "b"])
    fails(ValueError, "hold no image", none, np.zeros((0, 4, 4, 3), "uint8"))


def test_extreme_shares(path):
    page = write(path, control=1.0, repetitions=0.5)
    assert not groups(page)
    assert sum(again for _, again in blind(page)) == 15
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = write(path, make_proposals(1), control=0.0, repetitions=0.0)
    assert len(page["steps"]) == 1
