"""The commands of `keras-dc3`: which flags each takes, and what it does.

Each is a thin cover of a method of `keras_dc3.Project`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from absl import flags

from keras_dc3.annotations import Annotations
from keras_dc3.project import ClassDescription, Project
from keras_dc3.strategies import names as strategy_names

_FROM_PIXELS = "small_cnn"


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: as it is called.
        summary: in a line.
        about: in some lines.
        define: defines its flags.
        run: does it: words and flags -> what to print.
        words: what it takes besides flags, for the help; "" for nothing.
        stopped: what to say where it is stopped by Ctrl-C.
    """

    name: str
    summary: str
    about: str
    define: Callable[[flags.FlagValues], None]
    run: Callable[[Sequence[str], flags.FlagValues], Any]
    words: str = ""
    stopped: str = "Nothing is lost; call it again to go on."

    def flags(self) -> flags.FlagValues:
        """Returns its flags, not yet parsed."""
        values = flags.FlagValues()
        flags.DEFINE_string(
            "project", ".", "The folder of the project.", flag_values=values
        )
        self.define(values)
        return values


def _nothing(values: flags.FlagValues) -> None:
    del values


def _project(values: flags.FlagValues) -> Project:
    return Project(values.project)


def _of_init(values: flags.FlagValues) -> None:
    def text(name: str, default: str | None, about: str) -> None:
        flags.DEFINE_string(name, default, about, flag_values=values)

    def items(name: str, about: str) -> None:
        flags.DEFINE_list(name, None, about, flag_values=values)

    text("images", None, "The folder of the images, which stay where they are.")
    text(
        "answers",
        None,
        "Who said what so far: a CSV file with a line per answer. Without it, folders "
        "that are called as classes say it, or nobody has said anything yet.",
    )
    text("image_column", "image", "Name or number of the column of the image.")
    text("annotator_column", "annotator", "Of the person; empty if nobody is named.")
    text("label_column", "label", "Of the class.")
    text("separator", None, "Between columns; found out if it is not given.")
    text("encoding", "utf-8", "Of the table, such as cp1252.")
    items("no_answer", "Labels that mean that there is no answer, comma-separated.")
    items("class_names", "The classes, comma-separated; else all that occur.")
    text(
        "classes",
        None,
        "Instead, a CSV file with the columns class, description and example (the "
        "name of a typical image).",
    )
    items("image_size", "Height and width that images are brought to; one for both.")
    flags.DEFINE_enum(
        "fit",
        "resize",
        ["resize", "pad", "crop"],
        "How images get that size.",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "drop_missing",
        False,
        "Leave out answers to images that are not in the folder.",
        flag_values=values,
    )
    flags.DEFINE_float(
        "validation",
        0.2,
        "Share of the answered images that are kept to judge the models by.",
        lower_bound=0.01,
        upper_bound=0.9,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "seed", 0, "Of all that is drawn.", lower_bound=0, flag_values=values
    )
    _of_model(values, _FROM_PIXELS, "mean_teacher")


def _of_model(values: flags.FlagValues, backbone: str | None, ssl: str | None) -> None:
    flags.DEFINE_string(
        "backbone",
        backbone,
        "small_cnn trains from pixels; a network with weights, such as "
        "efficientnetv2_b0, gives better features (see the page Backbones).",
        flag_values=values,
    )
    flags.DEFINE_string(
        "weights",
        None,
        "Of that network: a file, as `python -m keras_dc3.backbones fetch` writes it; "
        "else they are fetched.",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "backbone_size",
        None,
        "Height and width that it resizes images to; else its own.",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_enum(
        "ssl",
        ssl,
        strategy_names(),
        "The semi-supervised strategy.",
        flag_values=values,
    )


def _names(given: Sequence[str] | None) -> list[str] | None:
    """Returns names without outer blanks, and without empty ones."""
    if given is None:
        return None
    return [name.strip() for name in given if name.strip()]


def _column(text: str) -> str | int | None:
    return int(text) if text.isdigit() else text or None


def _size(sides: Sequence[str] | None) -> tuple[int, int] | None:
    if sides is None:
        return None
    if not 1 <= len(sides) <= 2 or not all(side.isdigit() for side in sides):
        raise ValueError(
            "`--image_size` must be one or two whole numbers, such as 96 or 96,128. "
            f"Received: {','.join(sides)}"
        )
    return int(sides[0]), int(sides[-1])


def _in_flags(error: ValueError, values: flags.FlagValues) -> ValueError:
    """Returns an error about arguments with the names of their flags."""
    text = str(error).replace('missing="drop"', "--drop_missing")
    for name in sorted(values.flag_values_dict(), key=len, reverse=True):
        text = text.replace(f"`{name}`", f"`--{name}`")
    for argument in ("image", "annotator", "label"):
        text = text.replace(f"`{argument}`", f"`--{argument}_column`")
        text = text.replace(f"`{argument}=`", f"`--{argument}_column`")
    return ValueError(text)


def _init(words: Sequence[str], values: flags.FlagValues) -> str:
    try:
        return _create(values)
    except ValueError as error:
        raise _in_flags(error, values) from error


def _create(values: flags.FlagValues) -> str:
    if not values.images:
        raise ValueError("`--images` must name the folder of the images.")
    answers = None
    if values.answers:
        answers = Annotations.from_csv(
            values.answers,
            image=_column(values.image_column),
            annotator=_column(values.annotator_column),
            label=_column(values.label_column),
            separator=values.separator,
            encoding=values.encoding,
            no_answer=["", *(values.no_answer or ())],
            class_names=_names(values.class_names),
        )
    options = {} if values.weights is None else {"weights": values.weights}
    Project.create(
        values.project,
        values.images,
        answers,
        class_names=_names(values.class_names),
        classes=values.classes,
        image_size=_size(values.image_size),
        fit=values.fit,
        backbone=values.backbone,
        backbone_size=values.backbone_size,
        ssl=values.ssl,
        validation=values.validation,
        missing="drop" if values.drop_missing else "error",
        seed=values.seed,
        **options,
    )
    where = "" if values.project == "." else f" Go there: cd {values.project}."
    return f"The project is made.{where} Next: {_project(values).next_step()}"


def _of_train(values: flags.FlagValues) -> None:
    flags.DEFINE_float(
        "time_limit",
        None,
        "Seconds that training may take.",
        lower_bound=1.0,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "epochs",
        None,
        "How long to train; else what suits the data.",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_enum(
        "from",
        "new",
        ["new", "previous", "better"],
        "Begin with a new model, with that of the round before, or train both and keep "
        "the better one.",
        flag_values=values,
    )
    _of_again(values)


def _of_again(values: flags.FlagValues) -> None:
    flags.DEFINE_bool(
        "again", False, "Do it anew where it was done already.", flag_values=values
    )


def _of_sheet(values: flags.FlagValues) -> None:
    flags.DEFINE_list(
        "people", None, "Who answers, comma-separated.", flag_values=values
    )
    flags.DEFINE_integer(
        "budget",
        300,
        "Clicks or keys of each person, about.",
        lower_bound=1,
        flag_values=values,
    )
    shares = {
        "overlap": (0.2, "Share of the work that everybody does."),
        "control": (0.1, "Share of the images that come without a proposal."),
        "repetitions": (0.05, "Share of these that come a second time."),
    }
    for name, (default, about) in shares.items():
        flags.DEFINE_float(
            name, default, about, lower_bound=0, upper_bound=1, flag_values=values
        )
    flags.DEFINE_bool(
        "again", False, "Write a further page for who has one.", flag_values=values
    )


def _sheet(words: Sequence[str], values: flags.FlagValues) -> str:
    people = _names(values.people)
    if not people:
        raise ValueError("`--people` must name who answers, such as anna,ben.")
    return _project(values).sheet(
        people,
        values.budget,
        overlap=values.overlap,
        control=values.control,
        repetitions=values.repetitions,
        again=values.again,
    )


def _of_labels(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "output",
        "labels.csv",
        "A file that ends in .csv, .jsonl or .parquet, or a new folder, ending in /, "
        "for a folder of each class.",
        flag_values=values,
    )


def _labels(words: Sequence[str], values: flags.FlagValues) -> str:
    return f"{_project(values).labels(values.output)}\n\nWritten: {values.output}"


def _of_report(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "output", None, "The file; else report.html in the project.", flag_values=values
    )


def _of_withdraw(values: flags.FlagValues) -> None:
    flags.DEFINE_string("reason", "", "Why, for the records.", flag_values=values)
    flags.DEFINE_bool("undo", False, "Take them back.", flag_values=values)
    flags.DEFINE_bool(
        "gone",
        False,
        "Withdraw all images that are no longer in the folder.",
        flag_values=values,
    )


def _withdraw(words: Sequence[str], values: flags.FlagValues) -> str:
    project = _project(values)
    if values.undo:
        return project.restore(list(words))
    return project.withdraw(list(words), values.reason, gone=values.gone)


def _of_classes(values: flags.FlagValues) -> None:
    flags.DEFINE_list("add", None, "New classes, comma-separated.", flag_values=values)
    flags.DEFINE_list(
        "rename",
        None,
        "old=new, comma-separated; a new name that is there already unites both.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "description", "", "Of the one class that is added.", flag_values=values
    )
    flags.DEFINE_string(
        "example",
        "",
        "A typical image of the one class that is added.",
        flag_values=values,
    )


def _classes(words: Sequence[str], values: flags.FlagValues) -> str:
    added = _names(values.add) or []
    if (values.description or values.example) and len(added) != 1:
        raise ValueError(
            "`--description` and `--example` are of one class: `--add` it."
        )
    pairs = [pair.partition("=") for pair in values.rename or ()]
    wrong = ["".join(pair) for pair in pairs if not all(pair)]
    if wrong:
        raise ValueError(
            f"`--rename` must be old=new for each class. Received: {wrong[0]}"
        )
    classes = [
        ClassDescription(name, values.description, values.example) for name in added
    ]
    renamed = {old: new for old, _, new in pairs}
    return _project(values).change_classes(classes, renamed)


def _of_settings(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "images", None, "The folder in which the images are now.", flag_values=values
    )
    _of_model(values, None, None)


def _settings(words: Sequence[str], values: flags.FlagValues) -> str:
    given = {
        name: values[name].value
        for name in ("backbone", "weights", "backbone_size", "ssl")
        if values[name].value is not None
    }
    if values.images is None and not given:
        raise ValueError("Name what is to be changed, such as `--images FOLDER`.")
    _project(values).change_settings(values.images, **given)
    return "Changed."


_IN_ORDER = (
    Command(
        "init",
        "a new project: images, classes, and what people said so far",
        "Makes the folder of a project. The images stay where they are.",
        _of_init,
        _init,
    ),
    Command(
        "describe",
        "what the images and the answers so far are",
        "Images, answers, ambiguity and classes, in a table.",
        _nothing,
        lambda words, values: _project(values).describe() and None,
    ),
    Command(
        "train",
        "train a model on all answers so far",
        "Trains the model of this round. Stopped, it goes on from its last epoch when "
        "it is called again.",
        _of_train,
        lambda words, values: _project(values).train(
            time_limit=values.time_limit,
            epochs=values.epochs,
            start_from=values["from"].value,
            again=values.again,
        ),
        stopped="`keras-dc3 train` goes on from the last whole epoch.",
    ),
    Command(
        "propose",
        "what the model makes of each image",
        "Proposes a class for each image that is certain, and a cluster of look-alikes "
        "for each other one.",
        _of_again,
        lambda words, values: _project(values).propose(again=values.again),
    ),
    Command(
        "sheet",
        "pages on which people answer, one for each person",
        "Chooses what to ask, divides it among people, and writes a page for each, "
        "which opens in any browser.",
        _of_sheet,
        _sheet,
    ),
    Command(
        "read",
        "take in the files that people have downloaded from their pages",
        "Files, folders of files, or patterns such as review-*.json. Which page and "
        "round a file belongs to is known from the file.",
        _nothing,
        lambda words, values: _project(values).read(list(words)),
        words="FILE ...",
    ),
    Command(
        "status",
        "what was done, how far people agree, whether to go on",
        "All rounds with scores, answers and cost; agreement and bias; what more "
        "answers would bring.",
        _nothing,
        lambda words, values: _project(values).status(),
    ),
    Command(
        "next",
        "begin another round, with the answers of this one",
        "Begins another round.",
        _nothing,
        lambda words, values: _project(values).next(),
    ),
    Command(
        "labels",
        "the labels of all images as a file",
        "For each image class, soft label, how sure it is, who answered and how many "
        "agreed.",
        _of_labels,
        _labels,
    ),
    Command(
        "report",
        "one page that tells of the project",
        "Data, verdict, figures, pictures, and what each round brought, in one HTML "
        "file.",
        _of_report,
        lambda words, values: f"Written: {_project(values).report(values.output)}",
    ),
    Command(
        "withdraw",
        "take bad images out of the project",
        "Withdrawn images are not asked about, trained on or labeled.",
        _of_withdraw,
        _withdraw,
        words="IMAGE ...",
    ),
    Command(
        "classes",
        "add, rename or unite classes",
        "All answers are carried along.",
        _of_classes,
        _classes,
    ),
    Command(
        "settings",
        "say where the images are now, or change the model of the next round",
        "Changes what `init` was told.",
        _of_settings,
        _settings,
    ),
)
COMMANDS = {command.name: command for command in _IN_ORDER}
