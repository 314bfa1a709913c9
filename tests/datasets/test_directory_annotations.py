"""A folder of images and a table of answers become a data set, or one clear error."""

import unicodedata
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3 import Annotations, datasets
from keras_dc3.annotations import AnnotationError
from keras_dc3.data import list_images
from tests.data.image_inputs import picture, save
from tests.datasets.folders import NAMES, answers, ids, quiet, table, write


class TestAnnotations:
    def test_images_without_annotation_are_unlabeled(self, tmp_path):
        names = [f"{i // 8}/{i:02d}.png" for i in range(20)]
        write(tmp_path / "images", [*names, "more.png", "x/more.png"])
        path = table(tmp_path / "answers.csv", answers(names))
        for said in (path, str(path), Annotations.from_csv(path)):
            data, told = quiet(
                tmp_path / "images", said, seed=3, batch_size=4, labels="sampled"
            )
            assert not told
            assert data.unlabeled.ids == ("more.png", "x/more.png")
            assert len(data.labeled) == 16 and len(data.validation) == 4
        assert np.isnan(data.unlabeled.soft_labels).all()
        expected = Annotations.from_csv(path).select(data.validation.ids)
        assert (data.validation.counts == expected.counts).all()
        soft = data.labeled.soft_labels
        assert (soft[np.arange(16), data.labels] > 0).all()

    def test_all_annotated(self, tmp_path):
        names = [f"{i:02d}.png" for i in range(50)]
        write(tmp_path, names)
        path = table(tmp_path / "answers.csv", answers(names))
        data = datasets.from_directory(tmp_path, path)
        parts = [data.labeled, data.unlabeled, data.validation]
        assert [len(part) for part in parts] == [8, 32, 10]
        data = datasets.from_directory(tmp_path, path, labeled=6, stratify=True)
        assert np.bincount(data.labeled.majority).tolist() == [3, 3]

    def test_a_given_class_list_orders_the_counts(self, tmp_path):
        names = [f"{i}.png" for i in range(12)]
        write(tmp_path, names)
        path = table(tmp_path / "answers.csv", answers(names))
        order = ["b", "c", "a"]
        by_path = datasets.from_directory(
            tmp_path, path, class_names=order, labeled=6, seed=1
        )
        by_object = datasets.from_directory(
            tmp_path, Annotations.from_csv(path), class_names=order, labeled=6, seed=1
        )
        plain = datasets.from_directory(tmp_path, path, labeled=6, seed=1)
        for data in (by_path, by_object):
            assert data.class_names == ("b", "c", "a")
            assert data.labeled.ids == plain.labeled.ids
            expected = plain.labeled.counts
            assert (data.labeled.counts[:, [2, 0]] == expected).all()
            assert not data.labeled.counts[:, 1].any()
        with pytest.raises(AnnotationError, match=r"answers\.csv.*none of the classes"):
            datasets.from_directory(tmp_path, path, class_names=["a", "c"])
        with pytest.raises(ValueError, match=r"choose \['b'\], which are none"):
            datasets.from_directory(
                tmp_path, Annotations.from_csv(path), class_names=["a", "c"]
            )

    def test_an_image_that_is_not_there(self, tmp_path):
        names = [f"{i}.png" for i in range(12)]
        write(tmp_path / "images", names)
        rows = answers([*names[:5], "lost.png", *names[5:]])
        path = table(tmp_path / "answers.csv", rows)
        with pytest.raises(
            AnnotationError, match=r"answers\.csv', line 17:.*lost\.png"
        ):
            datasets.from_directory(tmp_path / "images", path)
        data, told = quiet(tmp_path / "images", path, labeled=6, missing="drop")
        assert len(told) == 1 and "lost.png" in told[0]
        assert "lost.png" not in ids(data)

    def test_a_path_that_leaves_the_folder(self, tmp_path):
        write(tmp_path, ["secret.png", *(f"images/{i}.png" for i in range(6))])
        names = ["../secret.png", *(f"{i}.png" for i in range(6))]
        path = table(tmp_path / "answers.csv", answers(names))
        with pytest.raises(AnnotationError, match=r"line 2:.*'\.\./secret\.png'"):
            datasets.from_directory(tmp_path / "images", path)

    def test_names_without_extension(self, tmp_path):
        names = [f"w{i:02d}.{'png' if i % 2 else 'jpg'}" for i in range(10)]
        write(tmp_path / "images", names)
        stems = [name.partition(".")[0] for name in names]
        path = table(tmp_path / "answers.csv", answers(stems))
        data, told = quiet(tmp_path / "images", path, labeled=6)
        assert len(told) == 1 and "10 images were written without" in told[0]
        assert set(ids(data)) <= set(names)
        write(tmp_path / "images", ["w03.jpg"])  # beside w03.png
        with pytest.raises(AnnotationError, match=r"'w03\.jpg', 'w03\.png'"):
            datasets.from_directory(tmp_path / "images", path)
        path = table(tmp_path / "answers.csv", answers([f"scan-{s}" for s in stems]))
        with pytest.raises(
            AnnotationError, match=r"None of the 10 .*'scan-w00'.*'w00\.jpg'"
        ):
            datasets.from_directory(tmp_path / "images", path)

    def test_names_without_folder(self, tmp_path):
        names = [f"{i % 3}/w{i:02d}.png" for i in range(10)]
        write(tmp_path / "images", names)
        last = [name.partition("/")[2] for name in names]
        path = table(tmp_path / "answers.csv", answers(last))
        data, told = quiet(tmp_path / "images", path, labeled=6, unlabeled=2)
        assert len(told) == 1 and "10 images were written without the folder" in told[0]
        assert ids(data) == sorted(names)
        expected = Annotations.from_csv(path).select(
            [name.partition("/")[2] for name in data.validation.ids]
        )
        assert (data.validation.counts == expected.counts).all()
        write(tmp_path / "images", ["x/w03.png"])
        with pytest.raises(AnnotationError, match=r"'0/w03\.png', 'x/w03\.png'"):
            datasets.from_directory(tmp_path / "images", path)
        path = table(tmp_path / "answers.csv", answers([f"images/{n}" for n in names]))
        with pytest.raises(AnnotationError, match="would fit without 'images/' in"):
            datasets.from_directory(tmp_path / "images", path)

    def test_one_annotation_per_image(self, tmp_path):
        names = [f"{i}.png" for i in range(10)]
        write(tmp_path, names)
        path = table(tmp_path / "answers.csv", answers(names, people=1))
        _, told = quiet(tmp_path, path, labeled=6)
        assert len(told) == 1 and "ambiguity cannot be measured" in told[0]

    def test_no_annotation_at_all(self, tmp_path):
        write(tmp_path, ["0.png", "1.png"])
        path = table(tmp_path / "answers.csv", [("0.png", "p", ""), ("1.png", "p", "")])
        with pytest.raises(AnnotationError, match="holds no annotation"):
            datasets.from_directory(tmp_path, path)
        given = Annotations.from_counts([[0, 0]], ids=["0.png"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match="No image is annotated"):
                datasets.from_directory(tmp_path, given)

    @pytest.mark.parametrize(
        ("options", "error", "match"),
        [
            ({"annotations": 3}, TypeError, "`keras_dc3.Annotations` or the path"),
            ({"annotations": "none.csv"}, FileNotFoundError, r"none\.csv"),
            ({"class_names": "ab"}, TypeError, "must be a list of strings"),
            ({"class_names": ["a", "a"]}, ValueError, "must differ"),
            ({"on_error": "ignore"}, ValueError, "`on_error` must be one of"),
            ({"missing": "empty"}, ValueError, "`missing` must be one of"),
            ({"image_size": 8}, ValueError, r"pair \(height, width\)"),
            ({"seed": -1}, ValueError, "`seed`"),
            ({"stratifi": True}, TypeError, "stratifi"),
        ],
    )
    def test_wrong_arguments(self, options, error, match, tmp_path):
        write(tmp_path, NAMES)
        with pytest.raises(error, match=match):
            datasets.from_directory(tmp_path, **options)


names = st.text(
    st.characters(
        codec="utf-8", exclude_characters="/\\\0.", categories=["L", "N", "S"]
    ),
    min_size=1,
    max_size=12,
)


@given(st.lists(names, min_size=6, max_size=9, unique_by=lambda n: fold(n)))
def test_ids_are_kept_whatever_they_are_called(tmp_path_factory, stems):
    folder = tmp_path_factory.mktemp("named")
    for i, stem in enumerate(stems):
        save(folder / "images" / "ab"[i % 2] / f"{stem}.png", picture((4, 4), i))
    listed = list_images(folder / "images").files
    assert len(listed) == len(stems)
    path = table(folder / "answers.csv", answers(listed))
    data = datasets.from_directory(
        folder / "images", path, labeled=len(listed), validation=None
    )
    expected = Annotations.from_csv(path).select(data.labeled.ids)
    assert (data.labeled.counts == expected.counts).all()


def fold(name):
    """What file systems may take for the same name."""
    return unicodedata.normalize("NFKC", name).casefold()
