"""Kinds of fault that people report of such tables."""

import os

import numpy as np
import pytest

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import LONG, counted, told, write
from tests.cases import case


def typing_slips(source, tmp_path):
    if source == "case":
        return case("09-label-typing-slips") / "annotations.csv"
    rows = []
    for i in range(10):
        name = ("ring", "bar")[i % 2]
        rows += [f"m{i},ann1,{name}", f"m{i},ann2,{name}", f"m{i},ann3 ,{name}"]
    rows[1], rows[7], rows[10] = "m0,ann2,ring ", "m2,ann2, ring\u00a0", "m3,ann2,Bar"
    rows[13], rows[25] = "m4,ann2,\u200bring", "m8,ann2,RING"
    return write(tmp_path, LONG + "\n".join(rows))


@pytest.mark.parametrize("source", ["made up", "case"])
def test_typing_slips(tmp_path, source):
    path = typing_slips(source, tmp_path)
    with told() as texts:
        annotations = Annotations.from_csv(path)
    assert annotations.class_names == ("Bar", "RING", "bar", "ring")
    assert annotations.annotators == ("ann1", "ann2", "ann3")
    assert len(texts) == 1
    assert "removed from 3 labels and 10 annotators, first in line 3" in texts[0]
    assert "'Bar' and 'bar', 'RING' and 'ring'" in texts[0]
    assert annotations.counts[:, :2].sum() == 2
    renamed = annotations.rename_classes(str.lower)
    assert renamed.class_names == ("bar", "ring") and renamed.counts.sum() == 30
    with pytest.raises(AnnotationError) as caught:
        Annotations.from_csv(path, class_names=["bar", "ring"])
    assert "'Bar' (line 12; did you mean 'bar'?)" in str(caught.value)
    assert "'RING' (line 27; did you mean 'ring'?)" in str(caught.value)


def test_wrong_letters_are_told(tmp_path):
    rows = [f"{i},x,{('haddock', 'plaice')[i % 2]}\n" for i in range(80)]
    with pytest.warns(UserWarning, match="slips: 'hadock' for 'haddock'"):
        Annotations.from_csv(write(tmp_path, LONG + "".join(rows) + "a,x,hadock\n"))


@pytest.mark.parametrize("source", ["made up", "case"])
def test_numbered_classes(tmp_path, source):
    if source == "case":
        path = case("06-numbered-classes") / "annotations.csv"
    else:
        path = write(
            tmp_path, LONG + "".join(f"{n}_0,x,{n}\n{n}_0,y,{n}\n" for n in (10, 2, 1))
        )
    annotations = Annotations.from_csv(path)
    assert annotations.class_names == ("1", "2", "10")
    rows = zip(annotations.ids, annotations.majority.tolist(), strict=True)
    for image, number in rows:
        assert annotations.class_names[number] == image.split("_")[0]


@pytest.mark.parametrize("source", ["made up", "case"])
def test_leading_zeros(tmp_path, source):
    folder, annotators = tmp_path, ("0007", "0012")
    files = [f"{i:06d}.png" for i in range(12)]
    if source == "case":
        folder = case("08-leading-zeros")
        files = sorted(os.listdir(folder / "images"))
    else:
        rows = [
            f"{i:06d},{a},{('01', '02', '10')[i % 3]}"
            for i in range(12)
            for a in annotators
        ]
        write(tmp_path, LONG + "\n".join(rows), "annotations.csv")
    annotations = Annotations.from_csv(folder / "annotations.csv")
    annotations.to_csv(tmp_path / "again.csv")
    again = Annotations.from_csv(tmp_path / "again.csv")
    assert again == annotations
    with told():
        matched = again.match(files)
    assert matched.ids == tuple(files) and not matched.unannotated
    assert again.class_names == ("01", "02", "10") and again.annotators == annotators


@pytest.mark.parametrize("source", ["made up", "case"])
def test_ids_without_extension(tmp_path, source):
    if source == "case":
        folder = case("10-ids-without-extension")
        files = sorted(os.listdir(folder / "images"))
    else:
        folder = tmp_path
        files = [f"w{i:02d}.{('jpg', 'png')[i % 2]}" for i in range(10)]
        rows = [f"w{i:02d},{a},ring\n" for i in range(10) for a in "xy"]
        write(folder, LONG + "".join(rows), "annotations.csv")
        other = LONG + "".join(f"scan-{row}" for row in rows)
        write(folder, other, "annotations_nothing_fits.csv")
    annotations = Annotations.from_csv(folder / "annotations.csv")
    with pytest.warns(UserWarning, match="10 images were written without"):
        matched = annotations.match(files)
    assert len(matched) == 10 and not matched.unannotated
    twin = {"w03.jpg", "w03.png"} - set(files)
    assert len(twin) == 1
    with pytest.raises(AnnotationError) as caught:
        annotations.match([*files, *twin])
    assert "'w03.jpg', 'w03.png'" in str(caught.value)
    assert "annotations.csv', line 8" in str(caught.value)
    nothing = Annotations.from_csv(folder / "annotations_nothing_fits.csv")
    with pytest.raises(AnnotationError) as caught:
        nothing.match(files)
    for part in (
        "None of the 10 annotated images (20 ann",
        "'scan-w00', 'scan-w01'",
        f"'{files[0]}'",
    ):
        assert part in str(caught.value)


def annotated_twice(source, tmp_path):
    if source == "case":
        return case("11-annotated-twice") / "annotations.csv"
    rows = []
    for i in range(8):
        rows += [f"v{i}.png,{a},{('ring', 'bar')[i % 2]},{i + 2.0}" for a in TWO]
        rows += [rows[-2]] if i == 2 else []
    rows[5], rows[6] = rows[6], rows[5]
    rows += ["v6.png,ann2,bar,9.5", "v7.png,ann1,bar,3.5"]
    return write(tmp_path, "image,annotator,label,seconds\n" + "\n".join(rows))


TWO = ("ann1", "ann2")


@pytest.mark.parametrize("source", ["made up", "case"])
def test_annotated_twice(tmp_path, source):
    path = annotated_twice(source, tmp_path)
    with told() as texts:
        kept = Annotations.from_csv(path)
    assert len(texts) == 1 and kept.notes[0] in texts[0].replace("\n  ", "\n")
    assert "3 times somebody annotated the same image again" in texts[0]
    for pair in (
        "'v2.png' by 'ann1' (lines 6, 7)",
        "'v6.png' by 'ann2' (lines 16, 19)",
        "'v7.png' by 'ann1' (lines 17, 20)",
    ):
        assert pair in texts[0]
    assert kept.counts.sum() == 16 and len(kept.records) == 19
    assert counted(kept)["v6.png"] == {"bar": 0.5, "ring": 1.5}
    assert counted(kept)["v2.png"] == {"ring": 2} and counted(kept)["v7.png"] == {
        "bar": 2
    }
    with told():
        last = Annotations.from_csv(path, repeated="last")
    assert counted(last)["v6.png"] == {"bar": 1, "ring": 1}
    assert len(last.records) == 16 and last.counts.dtype == np.int64
    # "Last" is the one of the later line, with its time.
    v7 = last.select(["v7.png"]).records
    assert v7.seconds.tolist() == [3.5, 9.0] or v7.seconds.tolist() == [9.0, 3.5]
    with pytest.raises(AnnotationError, match=r"lines 16, 19.*Remove lines"):
        Annotations.from_csv(path, repeated="error")


@pytest.mark.parametrize("source", ["made up", "case"])
def test_long_and_wide_tables_are_the_same(tmp_path, source):
    if source == "case":
        folder = case("15-agreement-with-gaps")
    else:
        folder = tmp_path
        write(folder, LONG + "a,v,torn\nb,w,calm\na,w,calm\n", "annotations.csv")
        write(folder, "image,v,w\na,torn,calm\nb,,calm\n", "annotations_wide.csv")
    long = Annotations.from_csv(folder / "annotations.csv")
    wide = Annotations.from_wide(folder / "annotations_wide.csv")
    assert counted(long) == counted(wide) and set(long.annotators) == set(
        wide.annotators
    )
