"""The readers of annotations, as methods of the class that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike

from keras_dc3.annotations.reading.answers import Options, build
from keras_dc3.annotations.reading.columns import AnswerColumns
from keras_dc3.annotations.reading.counts_form import read_counts
from keras_dc3.annotations.reading.dcic import read_dcic
from keras_dc3.annotations.reading.label_studio import read_label_studio
from keras_dc3.annotations.reading.long_form import (
    read_csv,
    read_frame,
    read_records,
)
from keras_dc3.annotations.reading.table_files import Layout
from keras_dc3.annotations.reading.tables import Column
from keras_dc3.annotations.reading.wide_form import read_matrix, read_wide


class AnnotationReaders:
    """The `from_...` methods of `Annotations`."""

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike | Sequence[str | os.PathLike],
        *,
        image: Column | None = "image",
        annotator: Column | None = "annotator",
        label: Column = "label",
        seconds: Column | None = "seconds",
        separator: str | None = None,
        encoding: str = "utf-8",
        skip: int = 0,
        class_names: Sequence[str] | None = None,
        no_answer: Sequence[str] = ("",),
        repeated: str = "keep",
        longest_seconds: float = 3600.0,
    ) -> Self:
        """Reads tables with one answer per line.

        Everything stays the text it is ("007" is not 7); only outer blanks are removed.
        What is odd is told in one warning and kept in `notes`.

        Args:
            path: a file, also packed (`.gz`), or a list of files, such as one per
                person. Lines may end as on any system, a byte order mark may stand in
                front.
            image, annotator, label, seconds: where to find these: the name of a column;
                its number, from 0 on, if the file has no header line; or a function of
                the row (a dict of column -> text, or the list of cells where there is
                no header). `image=None`: the number of the line is the image.
                `annotator=None`: nobody knows who answered. `seconds=None`: no times;
                the default need not exist.
            separator: one character. Default: found out among `,` `;` tab and `|`, or
                what a first line such as `sep=;` says, which Excel writes.
            encoding: of the text.
            skip: lines in front of the table to pass over.
            class_names: the classes, in the order that numbers them. Default: all
                labels found, in the order of `class_order`.
            no_answer: texts that mean that there is no answer; an empty cell always
                does.
            repeated: where somebody answered the same image again, "keep" lets all
                answers of this person weigh one together, "last" counts the last one,
                "error" refuses the file. The places are told in any case.
            longest_seconds: longer times, and those of 0 or below, count as unknown.

        Returns:
            Annotations with records.

        Raises:
            FileNotFoundError, OSError: if there is no such file or it cannot be opened.
            AnnotationError: if the files are not as described; it names file and line.
            ValueError, TypeError: for other wrong arguments.

        Example:

        >>> annotations = keras_dc3.Annotations.from_csv(
        ...     "answers.tsv", image=0, annotator=1, label=2, no_answer=["na"]
        ... )
        """
        options = Options(class_names, no_answer, repeated, longest_seconds)
        layout = Layout(separator, encoding, skip)
        columns = AnswerColumns(image, annotator, label, seconds)
        return cls(**build(read_csv(path, columns, layout), options))

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        image: Column = "image",
        annotator: Column | None = "annotator",
        label: Column = "label",
        seconds: Column | None = "seconds",
        class_names: Sequence[str] | None = None,
        no_answer: Sequence[str] = ("",),
        repeated: str = "keep",
        longest_seconds: float = 3600.0,
    ) -> Self:
        """Takes a pandas data frame with one answer per row.

        Numbers become text, whole ones without ".0"; None, NaN and NaT are empty cells.
        Labels that are an ordered Categorical give the classes and their order.
        Leading zeros are lost where pandas has read text as numbers: read such files
        with `from_csv`, or with `pandas.read_csv(..., dtype=str)`.

        Args:
            frame: the data frame.

        All other arguments and the errors are those of `from_csv`.
        """
        options = Options(class_names, no_answer, repeated, longest_seconds)
        columns = AnswerColumns(image, annotator, label, seconds)
        return cls(**build(read_frame(frame, columns), options))

    @classmethod
    def from_records(
        cls,
        records: Iterable[Sequence[Any]],
        *,
        class_names: Sequence[str] | None = None,
        no_answer: Sequence[str] = ("",),
        repeated: str = "keep",
        longest_seconds: float = 3600.0,
    ) -> Self:
        """Takes single answers, for example from a loop over JSON of your own form.

        Args:
            records: tuples (image, annotator, label) or (image, annotator, label,
                seconds) of text or numbers. None is an unknown annotator, no answer, no
                time.

        All other arguments and the errors are those of `from_csv`.

        Example:

        >>> answers = {"a.png": {"ann": "cat", "ben": "dog"}, "b.png": {"ann": "cat"}}
        >>> keras_dc3.Annotations.from_records(
        ...     (image, annotator, label)
        ...     for image, given in answers.items()
        ...     for annotator, label in given.items()
        ... )
        <Annotations of 2 images: 3 by 2 annotators, 2 classes, 50.0% ambiguous>
        """
        options = Options(class_names, no_answer, repeated, longest_seconds)
        return cls(**build(read_records(records), options))

    @classmethod
    def from_wide(
        cls,
        table: Any,
        *,
        image: Column | None = "image",
        annotators: Sequence[str | int] | None = None,
        anonymous: bool = False,
        class_names: Sequence[str] | None = None,
        no_answer: Sequence[str] = ("",),
        repeated: str = "keep",
        separator: str | None = None,
        encoding: str = "utf-8",
        skip: int = 0,
    ) -> Self:
        """Reads a table with one line per image and one column per annotator.

        Args:
            table: a file, or a pandas data frame.
            image: the column of the images, as for `from_csv`.
            annotators: the columns of the annotators, by name or all by number.
                Default: all other columns with a name ("Unnamed: 0", which pandas
                writes, is none).
            anonymous: True if a column is a place and no person, as where the first,
                second and third answer stand side by side: nobody knows who answered.

        All other arguments and the errors are those of `from_csv`. A cell with a text
        of `no_answer`, or nothing, is one where nobody was asked. A table of numbers
        alone, as with a column per class (see `from_counts`), and columns that seem to
        hold answers to several questions are told, unless `annotators`, `anonymous` or
        `class_names` say what they are.

        Example:

        >>> annotations = keras_dc3.Annotations.from_wide("votes.csv", image="file")
        """
        options = Options(class_names, no_answer, repeated)
        layout = Layout(separator, encoding, skip)
        answers = read_wide(table, image, annotators, anonymous, layout, options)
        return cls(**build(answers, options))

    @classmethod
    def from_matrix(
        cls,
        answers: ArrayLike,
        *,
        rows: str,
        ids: Sequence[str] | None = None,
        annotators: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        not_asked: Any = -1,
        no_answer: Sequence[str] = ("",),
    ) -> Self:
        """Takes the answers of all annotators to all images, with gaps.

        Args:
            answers: (n, m) or (m, n) for n images and m annotators: numbers or texts.
                NaN, None, "", the gaps of pandas and what is masked are gaps, too.
            rows: "images" if each row is an image, "annotators" if each is an
                annotator.
            ids: n names. Default: "0", "1", ...
            annotators: m names. Default: "0", "1", ...
            class_names: k names. A number is a position among them, unless they are
                numbers themselves: then it is a name. Default: all answers found, each
                number a class of that name, in the order of `class_order`.
            not_asked: the value where an annotator was not asked; -1 is also -1.0 or
                "-1".
            no_answer: texts that mean that there is no answer, as for `from_csv`.

        Raises:
            AnnotationError: if an answer is no class, or there is no answer.
            ValueError, TypeError: if the shapes do not fit.

        Example:

        >>> answers = [[0, 1, 0], [1, -1, 1]]  # two images, three people, -1 for none
        >>> keras_dc3.Annotations.from_matrix(answers, rows="images").majority
        array([0, 1])
        """
        options = Options(class_names, no_answer)
        found = read_matrix(
            answers, rows, ids, annotators, options.class_names, not_asked
        )
        return cls(**build(found, options))

    @classmethod
    def from_counts(
        cls,
        counts: Any,
        ids: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        *,
        annotators_per_image: int | str | Sequence[int] | None = None,
        image: Column | None = "image",
        separator: str | None = None,
        encoding: str = "utf-8",
        skip: int = 0,
        no_answer: Sequence[str] = ("",),
    ) -> Self:
        """Takes how many annotators chose each class; who they are is not known.

        Votes, one-hot labels and shares: whatever stands in a row is divided by its sum
        to give the soft label. Let each annotator weigh one. Shares, whose rows add up
        to 1 or 100, do not tell how many people answered: `annotators_per_image` does;
        without it, what is assumed is told.

        Args:
            counts: a table file (CSV, TSV) or a pandas data frame with a row per image
                and a column per class; or an array (n, k), finite and at least 0; or a
                dict of image -> dict of class -> count. A row of zeros is an image
                without annotation. In tables, "60%" is 60, "True" is 1.
            ids: n names of the rows of an array. Default: "0", "1", ...
            class_names: k names. Of a table: the columns to read, in this order;
                default: all others than `image`. Of an array: default "0", "1", ... Of
                a dict: default the classes with a count above 0, in the order of
                `class_order`.
            annotators_per_image: how many people gave the shares of an image: a number,
                one for each image, or the column of the table that tells.
            image, separator, encoding, skip: of a table, as for `from_csv`.
                `image=None`: the number of the row is the image. A column given by
                number means that there is no header line. The index of a data frame
                counts as a column of its name.
            no_answer: texts that mean that there is no answer: a class of this name
                that was found is left out, which is told, and a cell with it is 0. An
                empty cell always is.

        Returns:
            Annotations without records.

        Raises:
            ValueError, TypeError: if the parts do not fit.
            AnnotationError: if a table is not as described; it names file and line. If
                a dict holds a class that is not in `class_names`, or none.

        Example:

        >>> names = ["cat", "dog"]
        >>> keras_dc3.Annotations.from_counts([[3, 1], [0, 4]], ["a", "b"], names)
        <Annotations of 2 images: 8, 2 classes, 50.0% ambiguous>
        >>> counts = {"a": {"cat": 3, "dog": 1}, "b": {"dog": 4}}
        >>> keras_dc3.Annotations.from_counts(counts)
        <Annotations of 2 images: 8, 2 classes, 50.0% ambiguous>
        """
        options = Options(class_names, no_answer)
        layout = Layout(separator, encoding, skip)
        parts = read_counts(counts, ids, image, annotators_per_image, layout, options)
        return cls(**parts)

    @classmethod
    def from_dcic(
        cls,
        path: str | os.PathLike,
        *,
        image: Callable[[str], str] | None = None,
        class_names: Sequence[str] | None = None,
        no_answer: Sequence[str] = ("",),
        repeated: str = "keep",
    ) -> Self:
        """Reads the `annotations.json` of a DCIC data set.

        It is a list of sets of answers. In the published files the people are
        anonymous, and a set may hold the votes of several: there, every answer is that
        of an unknown person. Where `user_mail` names somebody, it is the annotator.
        `annotation_time` has no known unit and is not read. An answer `null` is none.

        Args:
            path: the file.
            image: a function from `image_path`, such as "Plankton/fold1/x.png", to the
                name of the image. Default: the path is the name.
            class_names: the classes, in the order that numbers them. Default: all
                labels found, in the order of `class_order`.
            no_answer, repeated: as for `from_csv`.

        Raises:
            FileNotFoundError: if there is no such file.
            AnnotationError: if it is no such file, or a label is no class.

        Example:

        >>> annotations = keras_dc3.Annotations.from_dcic(  # doctest: +SKIP
        ...     "Turkey/annotations.json", image=lambda path: path.rsplit("/", 1)[1]
        ... )
        """
        options = Options(class_names, no_answer, repeated)
        return cls(**build(read_dcic(path, image), options))

    @classmethod
    def from_label_studio(
        cls,
        path: str | os.PathLike,
        *,
        image: str | Callable[[dict], str] = "image",
        question: str | None = None,
        class_names: Sequence[str] | None = None,
        no_answer: Sequence[str] = ("",),
        repeated: str = "keep",
        longest_seconds: float = 3600.0,
    ) -> Self:
        """Reads the JSON export of a Label Studio project with a class per image.

        Classes are choices, a taxonomy (of which a class is its path, "fish/cod"), or,
        where there is neither, a rating. Submitted answers count. Skipped and empty
        ones are records without a valid answer; drafts and the predictions of a model
        are none; `notes` tells how many of each there are. Images without an answer
        stay in `images`. An annotation that stands in the export twice counts once; the
        answers of several tasks with the same image are put together. The annotator is
        the number of the user, `lead_time` gives the seconds.

        Args:
            path: the file, exported as "JSON" (not "JSON-MIN").
            image: which entry of a task's data names the image, or a function of the
                data (a dict). Of an address the name of the file is taken, of an
                uploaded file without the prefix that was added, of `?d=folder/x.png`
                what follows `d=`; other text is taken as it is. The same is done to
                what a function gives, also where that is the end of an address: `lambda
                data: "/".join(data["image"].split("/")[-2:])` keeps one folder.
            question: the name of the choices, taxonomy or rating in the labeling
                interface, needed where it asks for several.

        All other arguments are those of `from_csv`.

        Raises:
            FileNotFoundError: if there is no such file.
            AnnotationError: if it is no such export, has no choices for whole images,
                or an answer of several classes; it names the task.

        Example:

        >>> annotations = keras_dc3.Annotations.from_label_studio("export.json")
        """
        options = Options(class_names, no_answer, repeated, longest_seconds)
        return cls(**build(read_label_studio(path, image, question), options))
