"""Tables with a column per class: votes, one-hot labels, shares."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Annotations
from keras_dc3.annotations import AnnotationError
from tests.annotations.helpers import told, write
from tests.cases import case
from tests.processes import run_script

VOTES = "image,cat,dog,bird\na.jpg,9,1,0\nb.jpg,0,9,1\nc.jpg,1,1,9\n"
COUNTS = [[9, 1, 0], [0, 9, 1], [1, 1, 9]]


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Annotations.from_counts(*arguments, **options)


@pytest.mark.slow
def test_the_case(tmp_path):
    run_script(case("27") / "try.py", check=True)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_file_of_votes(tmp_path, separator):
    path = write(tmp_path, VOTES.replace(",", separator))
    for name in (path, str(path)):
        found = quiet(name)
        assert found.ids == ("a.jpg", "b.jpg", "c.jpg")
        assert found.class_names == ("cat", "dog", "bird")
        assert found.counts.tolist() == COUNTS and found.counts.dtype == np.int64
        assert found.records is None and found.annotators == ()
    assert "line 3" in found.places[1]


def test_a_frame_of_votes():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(COUNTS, columns=["cat", "dog", "bird"])
    frame.insert(0, "image", ["a.jpg", "b.jpg", "c.jpg"])
    expected = Annotations.from_counts(COUNTS, frame.image, ["cat", "dog", "bird"])
    assert quiet(frame) == expected
    assert quiet(frame.set_index("image")) == expected
    assert quiet(frame.astype({"cat": "float32", "dog": "Int64"})) == expected
    assert quiet(frame.iloc[:, 1:], image=None).ids == ("0", "1", "2")
    answers = pd.DataFrame({"file": list("aabb"), "label": list("xyxx")})
    crossed = pd.crosstab(answers.file, answers.label)
    assert quiet(crossed, image="file").counts.tolist() == [[1, 1], [2, 0]]
    with pytest.raises(AnnotationError, match="lacks the column 'image'"):
        Annotations.from_counts(answers)


def test_which_column_names_the_image(tmp_path):
    path = write(tmp_path, VOTES.replace("image", "filename").replace(",", ", "))
    with pytest.raises(AnnotationError, match=r"with `image='filename'`"):
        Annotations.from_counts(path)
    assert quiet(path, image="filename").counts.tolist() == COUNTS
    with pytest.warns(UserWarning, match="no classes: 'filename', 'cat', 'bird'"):
        function = Annotations.from_counts(
            path, image=lambda row: row["filename"][0], class_names=["dog"]
        )
    assert function.ids == ("a", "b", "c") and function.class_names == ("dog",)
    bare = write(tmp_path, "\n".join(VOTES.splitlines()[1:]))
    found = quiet(bare, image=0)
    assert found.class_names == ("0", "1", "2") and found.counts.tolist() == COUNTS
    assert quiet(bare, image=0, class_names=["cat", "dog", "bird"]) == quiet(
        write(tmp_path, VOTES, "b.csv")
    )
    with pytest.raises(ValueError, match="must name the 3 columns"):
        Annotations.from_counts(bare, image=0, class_names=["cat"])


def test_rows_alone(tmp_path):
    path = write(tmp_path, "9,1,0\n0,9,1\n1,1,9\n")
    found = quiet(path, image=None)
    assert found.counts.tolist() == COUNTS and found.ids == ("0", "1", "2")
    path = write(tmp_path, "0,1,2\n0,9,1\n1,1,9\n")  # classes called by number
    found = quiet(path, image=None)
    assert found.class_names == ("0", "1", "2") and found.counts.shape == (2, 3)


def test_some_columns_are_classes(tmp_path):
    path = write(tmp_path, "image,cat,dog,date,total\na,3,1,May,4\nb,0,2,June,2\n")
    with pytest.raises(
        AnnotationError, match=r"line 2: the cell of 'date' must be a n"
    ):
        Annotations.from_counts(path)
    with pytest.warns(UserWarning, match="are no classes: 'date', 'total'"):
        found = Annotations.from_counts(path, class_names=["dog", "cat"])
    assert found.class_names == ("dog", "cat") and found.counts.tolist() == [
        [1, 3],
        [2, 0],
    ]
    with pytest.raises(AnnotationError, match=r"lacks the columns \['eel'\]"):
        Annotations.from_counts(path, class_names=["cat", "eel"])
    path = write(tmp_path, "image,cat,dog,total\na,3,1,4\nb,0,2,2\n")
    with pytest.raises(AnnotationError, match=r"sum of the others.*\['cat', 'dog'\]"):
        Annotations.from_counts(path)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("a,3,-1", "'dog' must be a number of at least 0"),
        ("a,3,many", "Received: 'many'"),
        ("a,3,inf", "must be a number"),
        (",3,1", "line 2: the image has no name"),
        ("b,3,1", r"line 3: the image 'b' stands in the table already \(.*line 2\)"),
        ('a,3,"1,000"', "can be a thousand or a fraction"),
    ],
)
def test_tables_that_are_no_counts(tmp_path, cells, message):
    path = write(tmp_path, f"image,cat,dog\n{cells}\nb,1,1\n")
    with pytest.raises(AnnotationError, match=message):
        Annotations.from_counts(path)


def test_empty_cells_are_told(tmp_path):
    path = write(tmp_path, "image,cat,dog\na,3,\nb,,-\nc,1,2\n")
    with pytest.warns(UserWarning, match="3 empty cells count as 0"):
        found = Annotations.from_counts(path, no_answer=["-"])
    assert found.counts.tolist() == [[3, 0], [0, 0], [1, 2]]
    assert found.unannotated == ("b",)
    with pytest.raises(AnnotationError, match="holds no annotation"):
        Annotations.from_counts(write(tmp_path, "image,cat,dog\na,0,0\nb,0,0\n"))


def test_one_hot(tmp_path):
    for one, zero in (("1", "0"), ("True", "False"), ("1.0", "0.0")):
        path = write(tmp_path, f"image,cat,dog\na,{one},{zero}\nb,{zero},{one}\n")
        found = quiet(path)
        assert found.counts.tolist() == [[1, 0], [0, 1]] and found.cannot_disagree
    several = write(tmp_path, "image,cat,dog\na,1,1\nb,0,1\n")
    with pytest.warns(
        UserWarning, match="some images \\(1\\) have more than one class"
    ):
        Annotations.from_counts(several)


SHARES = [
    ("image,cat,dog\na,0.75,0.25\nb,0.0,1.0\n", "shares"),
    ("image;cat;dog\na;0,75;0,25\nb;0;1\n", "shares"),
    ("image,cat,dog\na,75%,25%\nb,0%,100%\n", "percentages"),
    ("image,cat,dog\na,75,25\nb,0,100\n", "percentages"),
]


@pytest.mark.parametrize(("text", "what"), SHARES)
def test_shares(tmp_path, text, what):
    path = write(tmp_path, text)
    with pytest.warns(UserWarning, match=f"seem to be {what}.*`annotators_per_image=`"):
        found = Annotations.from_counts(path)
    np.testing.assert_allclose(found.soft_labels, [[0.75, 0.25], [0, 1]])
    found = quiet(path, annotators_per_image=4)
    assert found.counts.tolist() == [[3, 1], [0, 4]]
    found = quiet(path, annotators_per_image=[4, 7])
    assert found.counts.tolist() == [[3, 1], [0, 7]]
    assert found.annotations_per_image.tolist() == [4, 7]


def test_a_column_tells_how_many_people_answered(tmp_path):
    path = write(tmp_path, "image,n,cat,dog\na,4,0.75,0.25\nb,3,0.67,0.33\n")
    found = quiet(path, annotators_per_image="n")
    assert found.class_names == ("cat", "dog")
    assert found.counts.tolist() == [[3, 1], [2, 1]]


def test_shares_of_arrays():
    for shares, what in (([[0.5, 0.5]], "shares"), ([[33.3, 66.6]], "percentages")):
        with pytest.warns(UserWarning, match=what):
            Annotations.from_counts(shares)
        assert quiet(shares, annotators_per_image=6).counts.sum() == 6
    with pytest.warns(UserWarning, match="shares of 1 image are no votes of so many"):
        found = Annotations.from_counts([[0.5, 0.5]], annotators_per_image=3)
    assert found.counts.tolist() == [[1.5, 1.5]]
    for wrong, match in ((0, "at least 1"), ([2, 2], "one for each"), ("n", "dtype")):
        with pytest.raises(ValueError, match=match):
            Annotations.from_counts([[0.5, 0.5]], annotators_per_image=wrong)
    with pytest.raises(ValueError, match="is for shares, which add up to 1 or 100"):
        Annotations.from_counts([[3, 2]], annotators_per_image=7)


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n), max_size=4))
    )
)
def test_rounded_shares_give_the_votes_back(given):
    people, drawn = given
    edges = np.sort([0, *drawn, people])
    votes = np.diff(edges)[None]
    shares = np.round(votes / people, 4)
    found = quiet(shares, annotators_per_image=people)
    assert found.counts.tolist() == votes.tolist()


def test_images_of_a_table_stand_in_it(tmp_path):
    with pytest.raises(ValueError, match="as a table names its images"):
        Annotations.from_counts(write(tmp_path, VOTES), ids=["a", "b", "c"])


# -- tables of numbers given to readers of people

TABLES = {
    "votes": VOTES,
    "one-hot": "image,cat,dog,bird\na,1,0,0\nb,0,0,1\n",
    "shares": "image,cat,dog,bird\na,0.5,0.5,0\nb,0,0.1,0.9\n",
    "percent": "image,cat,dog,bird\na,50%,50%,0%\nb,0%,10%,90%\n",
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("frame", [False, True])
def test_a_wide_table_of_numbers_is_told(tmp_path, kind, frame):
    path = write(tmp_path, TABLES[kind])
    table, name = path, repr(str(path))
    if frame:
        table, name = pytest.importorskip("pandas").read_csv(path), "frame"
    with told() as texts:
        Annotations.from_wide(table)
    assert len(texts) == 1 and "'cat', 'dog', 'bird' are numbers" in texts[0]
    assert f"`Annotations.from_counts({name})`" in texts[0]
    way = "`annotators=['cat', 'dog', 'bird']`"
    assert way in texts[0]
    with told() as texts:
        Annotations.from_wide(table, annotators=["cat", "dog", "bird"])
    assert not any("are numbers" in text for text in texts)


def test_class_numbers_that_people_gave(tmp_path):
    numbers = "image,{},{}\na,1,2\nb,0,2\n"
    with told() as texts:
        Annotations.from_wide(write(tmp_path, numbers.format("rater 1", "rater 2")))
        path = write(tmp_path, numbers.format("anna", "ben"), "b.csv")
        Annotations.from_wide(path, annotators=["anna", "ben"])
        Annotations.from_wide(path, anonymous=True)
        found = Annotations.from_wide(path, class_names=["0", "1", "2"])
    assert not texts and found.annotators == ("anna", "ben")
    with pytest.warns(UserWarning, match="are numbers"):
        Annotations.from_wide(path)


@pytest.mark.parametrize("first", [0, 1])
def test_people_of_plain_names_who_gave_class_numbers(tmp_path, first):
    rng = np.random.default_rng(first)
    truth = rng.integers(3, size=30)
    wrong = rng.random((30, 3)) < 0.2
    labels = np.where(wrong, rng.integers(3, size=(30, 3)), truth[:, None]) + first
    rows = [f"{i}.png,{','.join(map(str, row))}" for i, row in enumerate(labels)]
    path = write(tmp_path, "\n".join(["image,anna,ben,carl", *rows]))
    match = r"each column is a person.*`Annotations\.from_wide`.*`class_names=\['anna'"
    with pytest.warns(UserWarning, match=match):
        Annotations.from_counts(path)
    with told() as texts:
        Annotations.from_counts(path, class_names=["anna", "ben", "carl"])
        right = Annotations.from_wide(path, annotators=["anna", "ben", "carl"])
    assert texts == [] and right.class_names == tuple(
        str(number + first) for number in range(3)
    )


@pytest.mark.parametrize("people", [2, 3, 10, 40])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("sure", [0.1, 1.0, 10.0])
def test_votes_are_not_taken_for_class_numbers(tmp_path, people, classes, sure):
    rng = np.random.default_rng(people * classes)
    asked = rng.integers(1, people + 1, size=40)  # not all of them answer
    shares = rng.dirichlet([sure] * classes, size=40)
    votes = np.array([rng.multinomial(*a) for a in zip(asked, shares, strict=True)])
    rows = [f"i{i}.png,{','.join(map(str, row))}" for i, row in enumerate(votes)]
    names = ",".join(["image", *"abcde"[:classes]])
    with told() as texts:
        Annotations.from_counts(write(tmp_path, "\n".join([names, *rows])))
    assert not any("person" in text and "from_wide" in text for text in texts), texts


def test_a_long_reader_names_the_right_one(tmp_path):
    for text in TABLES.values():
        with pytest.raises(AnnotationError, match=r"from_counts`\.$") as caught:
            Annotations.from_csv(write(tmp_path, text))
        assert "from_wide" not in str(caught.value)
    path = write(tmp_path, "question,worker,answer\n1,1,0\n1,2,1\n2,1,0\n")
    with pytest.raises(AnnotationError, match="Say which to read with `image="):
        Annotations.from_csv(path)
    with pytest.raises(AnnotationError, match="from_wide") as caught:
        Annotations.from_csv(write(tmp_path, "image,x,y\na,cat,dog\n"))


# -- several questions


QUESTIONS = {
    "question and person": "species_anna,species_ben,count_anna\ncod,eel,2\neel,eel,1",
    "person and question": "anna.sex,ben.sex,anna.age,ben.age\nf,m,x,y\nm,m,z,z",
    "numbered": "Q1,Q2\nyes,no\nno,yes\nno,no",
    "disjoint": "anna,ben,size\n" + "cod,eel,big\neel,cod,small\n" * 3,
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_several_questions_are_told(tmp_path, kind):
    header, *rows = QUESTIONS[kind].splitlines()
    lines = [f"i{n},{row}" for n, row in enumerate(rows)]
    path = write(tmp_path, "\n".join([f"image,{header}", *lines]))
    with told() as texts:
        found = Annotations.from_wide(path)
    assert len(texts) == 1 and "answers to several questions" in texts[0]
    assert found.notes
    first = eval(texts[0].split("annotators=")[1].split("`")[0])
    with told() as texts:
        Annotations.from_wide(path, annotators=first)
    assert not any("questions" in text for text in texts)


@pytest.mark.parametrize(
    "table",
    [
        "image,anna,ben\na,cod,eel\nb,cod,eel",
        "image,anna,ben\n"
        + "".join(f"{i},cod,{'cod' * (i > 3) or 'eel'}\n" for i in range(9)),
        "image,ann_1,ann_2,ann_3\na,cod,eel,cod",
        "image,first,second\na,cod,\nb,,eel",
    ],
)
def test_one_question_is_not_told(tmp_path, table):
    with told() as texts:
        Annotations.from_wide(write(tmp_path, table))
    assert not any("questions" in text for text in texts)
