"""One rule for names at every door: which image, file or class somebody means."""

import json
import os
import sys
import unicodedata
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import (
    Annotations,
    DC3Model,
    Proposals,
    agreement,
    datasets,
    exports,
    review,
)
from keras_dc3._names import KnownNames, match_all, plain
from keras_dc3.annotations import AnnotationError
from keras_dc3.data import ImageSet, Split
from tests.annotations.helpers import told, write
from tests.cases import case
from tests.review.helpers import answer, as_csv, save
from tests.scale.helpers import encoded

IDS = ("Müll/50%+ #2 Nr. 1 é.png", "Müll/50%+ #2 Nr. 2 é.png", "Öl/a & b.png")
NAMES = ("Müll grob", "Öl & Fett", "50%+ fein #2")


def apart(text):
    return unicodedata.normalize("NFD", text)


# How others write the names of images.
SPELLINGS = {
    "the same": str,
    "other Unicode form": apart,
    "backslashes": lambda name: name.replace("/", "\\"),
    "a dot in front": lambda name: f"./{name}",
    "no extension": lambda name: name.removesuffix(".png"),
    "all of these": lambda name: ".\\" + apart(name[:-4]).replace("/", "\\"),
}
WITHOUT_FOLDER = {"no folder": lambda name: name.rpartition("/")[2]}
spelled = pytest.mark.parametrize("spelling", [*SPELLINGS, *WITHOUT_FOLDER])
in_folders = pytest.mark.parametrize("spelling", SPELLINGS)


def write_as(spelling, names=IDS):
    return [({**SPELLINGS, **WITHOUT_FOLDER})[spelling](name) for name in names]


def make(ids=IDS, names=NAMES):
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])[: len(ids)]
    return Proposals(ids, [0.1, 0.6, 0.4][: len(ids)], p, p, names)


def answers(spelling, label=0):
    rows = [
        (name, person, apart(NAMES[label]))
        for name in write_as(spelling)
        for person in ("ann", "ben")
    ]
    with told():
        return Annotations.from_records(rows, class_names=list(map(apart, NAMES)))


@pytest.fixture(autouse=True)
def silent():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# -- the rule


@spelled
def test_the_rule(spelling):
    known = KnownNames(IDS)
    for name, written in zip(IDS, write_as(spelling), strict=True):
        assert known.find(written)[0] == [name]
    others = KnownNames(map(apart, IDS))
    for name, written in zip(IDS, write_as(spelling), strict=True):
        assert others.find(written)[0] == [apart(name)]


@given(
    st.lists(st.text("aé/\\.& %+#1", min_size=1, max_size=6), min_size=1, unique=True)
)
def test_every_name_is_itself(names):
    known = KnownNames(names)
    for name in names:
        assert known.find(name) == ([name], ())
        assert name in known.find(plain(name))[0] or plain(name) in names


def test_the_extension_may_be_lacking_on_either_side():
    assert KnownNames(["x/a"]).find("x/a.png")[0] == ["x/a"]
    assert KnownNames(["x/a"]).find("a.JPG")[0] == ["x/a"]
    assert KnownNames(["x/a.tif"]).find("x/a")[0] == ["x/a.tif"]
    assert KnownNames(["a.tif"]).find("a.png")[0] == []
    assert KnownNames(["scan"]).find("scan.1")[0] == []  # no extension of an image
    assert KnownNames(["a", "a.tif"]).find("a.png")[0] == ["a"]


def test_what_is_not_unique_is_an_error():
    known = KnownNames(["x/a.png", "y/a.png", "b.png", "b.jpg"])
    for name in ("a.png", "a", "b"):
        with pytest.raises(ValueError, match="can be any of the images"):
            match_all([name], known)
    with pytest.raises(
        ValueError, match=r"'b\.png' and '\./b\.png' are both the image"
    ):
        match_all(["./b.png", "b.png"], known)


# -- doors of annotations


def test_the_case_as_a_table():
    folder = case("39")
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    annotations = Annotations.from_csv(folder / "annotations.csv")
    names = [unicodedata.normalize("NFC", name) for name in expected["classes"]]
    assert sorted(annotations.class_names) == sorted(names)
    assert len(annotations) == 12 and annotations.counts.sum() == 36
    assert not annotations.ambiguous.any()
    files = os.listdir(folder / "images")
    matched = annotations.match(files)
    assert matched.ids == tuple(files) and not matched.unannotated
    data = datasets.from_directory(
        folder / "images", folder / "annotations.csv", labeled=4, image_size=(8, 8)
    )
    assert len(data.class_names) == 3


@in_folders
@pytest.mark.parametrize("reader", ["csv", "several files", "wide", "frame", "counts"])
def test_an_image_in_several_spellings_is_one(tmp_path, spelling, reader):
    """Two people, of whom each writes the same images on another system."""
    if spelling in ("no extension", "all of these"):
        pytest.skip("whether these are one file is known where the files are")
    other = write_as(spelling)
    rows = [[f"{i},ann,cat\n" for i in IDS], [f"{i},ben,dog\n" for i in other]]
    head = "image,annotator,label\n"
    if reader == "csv":
        found = Annotations.from_csv(write(tmp_path, head + "".join(rows[0] + rows[1])))
    elif reader == "several files":
        paths = [
            write(tmp_path, head + "".join(r), f"{len(r[0])}{r[0][-4]}") for r in rows
        ]
        found = Annotations.from_csv(paths)
    elif reader == "frame":
        pd = pytest.importorskip("pandas")
        table = {"image": [*IDS, *other], "annotator": ["ann"] * 3 + ["ben"] * 3}
        found = Annotations.from_frame(
            pd.DataFrame({**table, "label": ["cat"] * 3 + ["dog"] * 3})
        )
    elif reader == "wide":
        lines = [f"{i},cat,\n" for i in IDS] + [f"{i},,dog\n" for i in other]
        found = Annotations.from_wide(write(tmp_path, "image,x,y\n" + "".join(lines)))
    else:
        lines = [f"{i},2,1\n" for i in (*IDS, *other)]
        path = write(tmp_path, "image,cat,dog\n" + "".join(lines))
        with pytest.raises(AnnotationError, match="stands in the table already"):
            Annotations.from_counts(path)
        return
    assert found.ids == IDS and found.counts.tolist() == [[1, 1]] * 3


def test_several_spellings_are_told():
    rows = [(name, "x", "cat") for name in ("é.png", apart("é.png"), "a/b", "a\\b")]
    with pytest.warns(UserWarning, match="2 images are written with several Unicode"):
        found = Annotations.from_records(rows)
    assert found.ids == ("é.png", "a/b")


@pytest.mark.parametrize("reader", ["records", "csv", "counts"])
def test_names_with_and_without_extension_are_told(tmp_path, reader):
    """Whether they are one image is known where the files are."""
    ids = ("p1.png", "p2.JPG", "p3.png", "p1", "p2", "scan.1", "scan")
    told = (
        r"with an extension and without \(2\), such as 'p1.png' and 'p1', and count as"
    )
    with pytest.warns(UserWarning, match=told) as caught:
        if reader == "records":
            rows = [(name, who, "cat") for name in ids for who in "ab"]
            found = Annotations.from_records(rows)
        elif reader == "csv":
            lines = "".join(f"{name},ann,cat\n" for name in ids)
            path = write(tmp_path, "image,annotator,label\n" + lines)
            found = Annotations.from_csv(path)
        else:
            found = Annotations.from_counts(
                {name: {"cat": 1, "dog": 2} for name in ids}
            )
    assert found.ids == ids and len(caught) == 1
    if reader == "csv":  # the remedy
        found = Annotations.from_csv(
            path, image=lambda row: os.path.splitext(row["image"])[0]
        )
        assert found.ids == ("p1", "p2", "p3", "scan")


def test_people_and_classes_in_several_unicode_forms_are_one(tmp_path):
    text = "image,annotator,label\na,José,Öl\nb," + apart("José") + "," + apart("Öl")
    found = Annotations.from_csv(write(tmp_path, text))
    assert found.annotators == ("José",) and found.class_names == ("Öl",)
    for names in (["Öl"], [apart("Öl")]):
        given = Annotations.from_csv(write(tmp_path, text), class_names=names)
        assert given.class_names == ("Öl",) and given == found
    left = Annotations.from_csv(
        write(tmp_path, text + "\nc,x,cod"), no_answer=[apart("Öl")]
    )
    assert left.class_names == ("cod",)
    renamed = found.rename_classes({apart("Öl"): apart("Fül")})
    assert renamed.class_names == ("Fül",)
    both = [[1, 2]], ["a"], ["Öl", apart("Öl")]
    with pytest.raises(ValueError, match="must differ"):
        Annotations.from_counts(*both)
    assert ImageSet(np.zeros((1, 2, 2, 1), "uint8"), ["a"], [[1]], [apart("Öl")])
    with pytest.raises(ValueError, match="must differ"):
        Proposals(["a"], [0.1], [[0.5, 0.5]], [[1.0]], both[2])


@spelled
def test_select_and_match(spelling):
    annotations = answers("the same")
    ids = write_as(spelling)
    found = annotations.select(ids[:2])
    assert found.ids == tuple(ids[:2]) and found.counts[:, 0].tolist() == [2, 2]
    filled = annotations.select([*ids, "other.png"], missing="empty")
    assert filled.counts[:, 0].tolist() == [2, 2, 2, 0]
    matched = answers(spelling).match(IDS)
    assert matched.ids == IDS and matched.counts[:, 0].tolist() == [2, 2, 2]


@in_folders
def test_merge(spelling):
    both = answers("the same").merge(answers(spelling, 1))
    assert both.ids == IDS and len(both.annotators) == 2
    counted = Annotations.from_counts([[1, 0, 0]] * 3, write_as(spelling), list(NAMES))
    both = answers("the same").merge(counted)
    assert both.ids == IDS and both.counts[:, 0].tolist() == [3, 3, 3]


def test_merge_does_not_take_one_folder_for_another():
    one = Annotations.from_records([("x/1.png", "ann", "cat")])
    other = Annotations.from_records([("1.png", "ann", "cat")])
    assert one.merge(other).ids == ("x/1.png", "1.png")


# -- doors of proposals


@spelled
def test_next(spelling):
    proposals = make()
    expected = proposals.next(9, answers("the same"))
    assert expected.settled == 3
    found = proposals.next(9, answers(spelling))
    assert found.settled == 3 and found.ids == expected.ids
    others = make(list(map(apart, IDS)), list(map(apart, NAMES)))
    assert others.next(9, answers(spelling)).settled == 3


def test_next_does_not_guess():
    proposals = make(("x/a.png", "y/a.png"))
    given = Annotations.from_records([("a.png", "x", NAMES[0])], class_names=NAMES)
    with pytest.raises(ValueError, match="can be any of the proposals"):
        proposals.next(5, given)
    with pytest.warns(UserWarning, match="without the extension of their proposal"):
        make().next(5, answers("no extension"))


@spelled
def test_matched_proposals_have_the_ids_of_the_images(spelling):
    proposals, ids = make(), write_as(spelling)
    found = proposals.in_order_of(ids[::-1])
    assert found.ids == tuple(ids[::-1])
    np.testing.assert_array_equal(found.ambiguity, proposals.ambiguity[::-1])
    with pytest.raises(ValueError, match="1 of 3 images have no proposal: 'new'"):
        proposals.in_order_of([*ids[:2], "new"])


def test_a_near_id_is_hinted_at():
    with pytest.raises(KeyError, match=r"Did you mean 'Öl/a & b.png'"):
        make()[apart(IDS[2])]


@spelled
def test_to_cleanlab(spelling):
    proposals = make()
    for images in ({"ids": write_as(spelling)}, {"annotations": answers(spelling)}):
        found = exports.to_cleanlab(proposals, **images)
        np.testing.assert_allclose(found, proposals.class_probabilities)
    with pytest.raises(ValueError, match="can be any of the proposals"):
        exports.to_cleanlab(make(("x/a.png", "y/a.png")), ids=["a.png"])


@spelled
def test_fiftyone(spelling, tmp_path, monkeypatch):
    class Dataset:
        def __init__(self, name=None, persistent=False):
            self.samples = []

        def add_samples(self, samples):
            self.samples = samples

    def record(**fields):
        return SimpleNamespace(**fields)

    stand_in = SimpleNamespace(Dataset=Dataset, Sample=record, Classification=record)
    monkeypatch.setitem(sys.modules, "fiftyone", stand_in)
    for name in IDS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    ids = write_as(spelling)
    found = exports.to_fiftyone(make(ids), tmp_path).samples
    assert {s.image_id: s.filepath for s in found} == {
        name: str(tmp_path / file) for name, file in zip(ids, IDS, strict=True)
    }
    for name, why in (("../a.png", "lies outside"), ("no.png", "no files in")):
        with pytest.raises(FileNotFoundError, match=why):
            exports.to_fiftyone(make((name,)), tmp_path)


def test_files_keep_ids_and_classes(tmp_path):
    proposals = make()
    proposals.to_csv(tmp_path / "a.csv")
    assert Proposals.from_csv(tmp_path / "a.csv") == proposals
    exports.to_label_studio(proposals, tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
    for number, task in enumerate(tasks):
        result = {"type": "choices", "from_name": "class"}
        result["value"] = {"choices": [apart(NAMES[number])]}
        task.update(id=number, annotations=[{"id": number, "result": [result]}])
    path = write(tmp_path, json.dumps(tasks), "export.json")
    for image in ("id", "image", lambda data: data["image"]):
        back = Annotations.from_label_studio(path, image=image, class_names=NAMES)
        assert sorted(back.ids) == sorted(IDS) and back.counts.sum() == 3
        assert proposals.in_order_of(back.ids).ids == back.ids


# -- doors of reviews, agreement, splits


PICTURES = np.random.default_rng(0).integers(0, 256, (3, 9, 9, 3), "uint8")


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("saved", [str, apart])
@pytest.mark.parametrize("later", [str, apart])
def test_a_review_in_another_unicode_form(tmp_path, form, saved, later):
    """The file is saved anew by another program, the ids come from another system."""
    make().to_review(tmp_path / "a.html", PICTURES, control=0, repetitions=0)
    file = json.dumps(answer(tmp_path / "a.html"), ensure_ascii=False)
    path = tmp_path / f"anna.{form}"
    if form == "json":
        path.write_text(saved(file), "utf-8")
    else:
        path.write_text(saved(as_csv(json.loads(file))), "utf-8")
    proposals = make(tuple(map(later, IDS)), tuple(map(later, NAMES)))
    read = review.read(path, proposals=proposals)
    assert read.annotations.ids == proposals.ids
    assert read.annotations.class_names == NAMES
    assert read.annotations.counts[:, 0].tolist() == [1, 1, 1]
    assert review.read(path).annotations.counts.sum() == 3
    assert proposals.next(5, read).settled >= 0


@spelled
@pytest.mark.parametrize("kind", ["dict", "set", "folder"])
def test_images_of_a_review(tmp_path, spelling, kind):
    ids = write_as(spelling)
    images = dict(zip(IDS, PICTURES, strict=True))
    if kind == "set":
        images = ImageSet(PICTURES, list(IDS))
    elif kind == "folder":
        image = pytest.importorskip("PIL.Image")
        for name, pixels in images.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            image.fromarray(pixels).save(tmp_path / name)
        images = tmp_path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(ids).to_review(tmp_path / "a.html", images, control=0)
    file = save(tmp_path / "a.json", answer(tmp_path / "a.html"))
    assert sorted(review.read(file).annotations.ids) == sorted(ids)


@in_folders
def test_conditions_of_a_comparison(spelling):
    one, other = answers("the same"), answers(spelling)
    texts = agreement.compare(none=one, dc3=other, resamples=5, least_common=1).notes
    assert not any("none of its" in text for text in texts)


@in_folders
def test_splits_by_ids(tmp_path, spelling):
    parts = Split(*map(np.array, ([0], [1], [2])))
    parts.save(tmp_path / "split.json", list(IDS))
    found = Split.load(tmp_path / "split.json", write_as(spelling))
    assert [p.tolist() for p in found] == [[0], [1], [2]]


def test_two_names_of_one_image_in_a_split(tmp_path):
    path = tmp_path / "split.json"
    Split(*map(np.array, ([0], [], [1]))).save(path, ["é.png", apart("é.png")])
    with pytest.raises(ValueError, match=r"1 image is both in|twice|both the id"):
        Split.load(path, ["é.png", "b.png"])


def _entrances():
    """Where somebody gives class names, as functions of these."""
    images = np.arange(20 * 8 * 8 * 3).reshape(20, 8, 8, 3).astype("uint8")
    features = np.random.default_rng(0).normal(size=(20, 4))
    ids, labels = [f"{i}.png" for i in range(20)], [0, 1] * 10

    def model(names):
        import keras

        backbone = keras.Sequential([keras.layers.Flatten()])
        return DC3Model(backbone, class_names=names).class_names

    def arrays(names):
        data = datasets.from_arrays(images, labels, class_names=names, labeled=0.8)
        return data.class_names

    def embeddings(names):
        data = datasets.from_embeddings(
            features, labels, ids=ids, class_names=names, labeled=0.8
        )
        return data.class_names

    def image_set(names):
        return ImageSet(images, ids, np.eye(2)[labels], names).class_names

    return model, arrays, embeddings, image_set


@pytest.mark.parametrize("enter", _entrances(), ids=lambda one: one.__name__)
def test_given_class_names(enter):
    assert enter([0, "eel"]) == ("0", "eel")
    for names, message in (
        (["cod ", "eel"], r"outer blanks, .* keep: write 'cod'\. Received: 'cod '"),
        (["cod", "\xa0"], r"outer blanks, which tables do not keep\. Received"),
        ([None, "eel"], "texts, or numbers as their names. Received: None at pos"),
        (["eel", float("nan")], "Received: nan at position 1"),
        ([b"cod", "eel"], "Received: b'cod' at position 0"),
        (["é", apart("é")], "must differ"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            enter(names)


@pytest.mark.parametrize("enter", _entrances()[:3], ids=lambda one: one.__name__)
def test_given_class_names_that_are_alike_are_told(enter):
    for names in (["Cod", "cod"], ["roe deer", "roe  deer"], ["1", "1.0"]):
        with pytest.warns(UserWarning, match="They are different classes") as found:
            assert enter(names) == tuple(names)
        about = [one for one in found if "They are different" in str(one.message)]
        assert len(about) == 1 and about[0].filename == __file__


def test_a_model_of_before_comes_back_under_its_names(tmp_path):
    import keras

    backbone = keras.Sequential([keras.layers.Flatten()])
    model = DC3Model(backbone, class_names=["a", "b"])
    model.build((None, 8, 8, 3))
    model.classes.names = ("cod ", "Cod")  # which were taken once
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*different classes")
        again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.class_names == ("cod ", "Cod")


def test_class_folders_with_blanks_are_refused(tmp_path):
    pytest.importorskip("PIL")
    for i in range(8):
        path = tmp_path / ("cod " if i % 2 else "eel") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(np.full((8, 8, 3), 30 * i, "uint8")))
    with pytest.raises(ValueError, match=r"class folder 'cod ' .* Rename it to 'cod'"):
        datasets.from_directory(tmp_path)
