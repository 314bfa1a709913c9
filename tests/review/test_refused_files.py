"""Files of other sets, changed or cut short: refused in one sentence."""

import numpy as np
import pytest

from keras_dc3 import review
from keras_dc3.annotations import AnnotationError
from keras_dc3.data.image_set import ImageSet
from tests.review.helpers import (
    answer,
    make_images,
    make_proposals,
    quiet,
    save,
    write_folder,
)

pytest.importorskip("PIL.Image")


def test_lists_that_were_changed(saved):
    def turned(file):
        file["classes"].reverse()

    def more(file):
        file["images"].append("x.png")

    def page_alone(file):
        file["page"] = file["page"].partition("-")[0]

    for change, name in ((turned, "classes"), (more, "images"), (page_alone, "images")):
        with pytest.raises(AnnotationError, match=f"anna.json': the list '{name}' is"):
            review.read(saved(change))


def test_files_in_another_encoding(saved):
    path = saved(name="a.csv", annotator="Ännchen")
    text = path.read_text("utf-8")
    for encoding in ("utf-16", "cp1252"):
        path.write_bytes(text.encode(encoding))
        with pytest.raises(
            AnnotationError, match=r"a\.csv' is not in UTF-8.*as it was"
        ) as e:
            review.read(path)
        assert "`encoding`" not in str(e.value)


def test_other_sets(page, saved, tmp_path):
    path = saved()
    other = make_proposals(ids=[f"x{i}" for i in range(30)])
    with pytest.raises(AnnotationError, match="another set than `proposals`: the ids"):
        review.read(path, proposals=other)
    other = make_proposals(names=("a", "b", "c"))
    with pytest.raises(AnnotationError, match="`proposals`: the class names differ"):
        review.read(path, proposals=other)
    with pytest.raises(AnnotationError, match="another set than `images`"):
        review.read(path, proposals=make_proposals(), images=make_images(30, seed=1))
    for second, why in (
        (answer(page(mode="none"), "ben"), "the modes differ; read each mode"),
        (answer(page(images=make_images(30, 1)), "ben"), "same ids"),
        (answer(page(make_proposals(29)), "ben"), "ids of the images differ"),
    ):
        other = save(tmp_path / "ben.json", second)
        with pytest.raises(AnnotationError, match=why):
            review.read([path, other])


def test_proposals_of_another_round(saved):
    path = saved()
    with pytest.warns(UserWarning, match="made from other proposals than"):
        review.read(path, proposals=make_proposals(seed=1))
    with pytest.raises(TypeError, match=r"be `keras_dc3\.Proposals`.*Received: str"):
        review.read(path, proposals="proposals.csv")


@pytest.mark.parametrize("paths", [None, 5, [5], ["a.json", None]])
def test_paths_that_are_none(paths):
    with pytest.raises(TypeError, match="`paths` must be the name of a file"):
        review.read(paths)


def test_absurd_numbers(saved):
    def change(file):
        file["annotations"][0]["seconds"] = 10**400

    with pytest.warns(UserWarning, match="1 of 30 times count as unknown"):
        review.read(saved(change))
    path = saved(name="a.csv")
    text = path.read_text("utf-8")
    path.write_text(text.replace(",1.5,", ",1_5,", 1), "utf-8")
    with pytest.raises(AnnotationError, match="'seconds' cannot be '1_5'"):
        review.read(path)
    path.write_text(text.replace(",30,", f",{'9' * 5000},"), "utf-8")
    with pytest.raises(AnnotationError, match=r"says that it holds 9+ answers"):
        review.read(path)


def test_a_flag_in_another_language(saved):
    path = saved(name="a.csv")
    path.write_text(path.read_text("utf-8").replace("false", "FALSCH"), "utf-8")
    with pytest.raises(AnnotationError, match="'repetition' cannot be 'FALSCH'"):
        review.read(path)


def test_images_alone(saved, tmp_path):
    path, images, ids = saved(), make_images(30), make_proposals().ids
    quiet(path, images=ImageSet(images, ids))
    quiet(path, images=dict(zip(ids, images, strict=True)))
    quiet(path, images=images, proposals=make_proposals())
    with pytest.raises(ValueError, match=r"in the order of the proposals.*Pass `propo"):
        review.read(path, images=images)
    quiet(path, images=write_folder(tmp_path / "images", images, ids))
    floats = images.astype("float32") / 255  # the set that they stand in has others
    more = np.concatenate([floats, -floats[:2]])
    quiet(path, images=ImageSet(more, [*ids, "x", "y"]), proposals=make_proposals())
    (tmp_path / "images" / ids[0]).unlink()
    with pytest.raises(AnnotationError, match="or some are missing"):
        review.read(path, images=tmp_path / "images")
    with pytest.raises(AnnotationError, match="Pass `proposals`, too"):
        review.read(path, images=ImageSet(images, [f"x{i}" for i in range(30)]))
    with pytest.raises(AnnotationError, match="Pass `proposals`, too"):
        review.read(saved(name="a.csv"), images=tmp_path / "images")


def test_unknown_names(saved):
    def label(file):
        file["annotations"][4]["label"] = "dgo"

    match = r"anna\.json', annotation 5: 'dgo' is none of the classes.*mean 'dog'\?"
    with pytest.raises(AnnotationError, match=match):
        review.read(saved(label))
    match = r"a\.csv', line 6: 'dgo' is none of the classes"
    with pytest.raises(AnnotationError, match=match):
        review.read(saved(label, name="a.csv"), proposals=make_proposals())

    def image(file):
        file["annotations"][4]["image"] = "x.png"

    with pytest.raises(AnnotationError, match=r"annotation 5: 'x\.png' is none of the"):
        review.read(saved(image))


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_file_cut_short(saved, form):
    """Wherever it is cut, there is one error that says so."""
    path = saved(name=f"a.{form}")
    whole = path.read_bytes()
    for end in range(1, len(whole) - 4, 97):
        path.write_bytes(whole[:end])
        with pytest.raises(AnnotationError) as caught:
            review.read(path, proposals=make_proposals())
        assert "a." in str(caught.value)
    lines = whole.splitlines(keepends=True)
    if form == "csv":
        path.write_bytes(b"".join(lines[:-1]))
        with pytest.raises(AnnotationError, match="holds 30 answers, but there are 29"):
            review.read(path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.update(format="x"), "is no file of a review sheet"),
        (lambda f: f.update(version=3), "version 3, but this release reads versions 1"),
        (lambda f: f.pop("classes"), "lacks the list 'classes'"),
        (lambda f: f.update(images=[3]), "'images' must hold names only"),
        (lambda f: f.update(annotator=" "), "lacks 'annotator'"),
        (lambda f: f.update(changes="x"), "'changes' cannot be 'x'"),
        (lambda f: f.update(fingerprint="dc3-1"), "is no fingerprint of a review"),
        (lambda f: f.update(mode="none"), "is no fingerprint of a review in mode"),
        (lambda f: f.update(annotations=[], rows=0), "there is no answer"),
        (lambda f: f["annotations"].__setitem__(1, 3), "annotation 2 lacks one of"),
        (lambda f: f["annotations"][1].pop("label"), "annotation 2 lacks one of"),
        (lambda f: f["annotations"][1].update(label=3), "'label' cannot be 3"),
        (lambda f: f["annotations"][1].update(seconds="x"), "'seconds' cannot be 'x'"),
        (lambda f: f["annotations"][1].update(seconds=True), "'seconds' cannot be Tr"),
        (lambda f: f["annotations"][1].update(repetition=0), "'repetition' cannot be"),
        (lambda f: f["annotations"][1].update(accepted=3), "'accepted' is 3, but the"),
    ],
)
def test_changed_files(saved, change, match):
    with pytest.raises(AnnotationError, match=match):
        review.read(saved(change))


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        review.read(tmp_path / "none.json")
    with pytest.raises(ValueError, match="at least one file"):
        review.read([])
    path = tmp_path / "a.csv"
    for text, match in (
        ("", "is empty"),
        ("image,annotator,label\na,b,c\n", r"lacks the columns .*from_csv"),
        ("[1, 2]", "is no file of a review sheet"),
        ('image,"ann\n', "line 1: this is no CSV"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(AnnotationError, match=match):
            review.read(path)
