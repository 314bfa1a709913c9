"""The commands of `keras-dc3`: which flags each takes, and what it does.

Each is a thin cover of a method of `keras_dc3.Project`; but for `score` and `ask`,
which need none.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl.flags import FlagValues

from keras_dc3.annotations import Annotations
from keras_dc3.command_line.asking import ASK
from keras_dc3.command_line.command import Command, Flags
from keras_dc3.command_line.scoring import SCORE
from keras_dc3.command_line.stopping import until_stopped
from keras_dc3.project import ClassDescription, Project
from keras_dc3.serving import Server
from keras_dc3.serving.server import PORT
from keras_dc3.strategies import names as strategy_names

_FROM_PIXELS = "small_cnn"


def _nothing(of: Flags) -> None:
    del of


def _project(values: FlagValues) -> Project:
    return Project(values.project)


def _of_init(of: Flags) -> None:
    of.text("images", None, "The folder of the images, which stay where they are.")
    of.text(
        "answers",
        None,
        "Who said what so far: a CSV file with a line per answer. Without it, folders "
        "that are called as classes say it, or nobody has said anything yet.",
    )
    of.text("image_column", "image", "Name or number of the column of the image.")
    of.text("annotator_column", "annotator", "Of the person; empty if nobody is named.")
    of.text("label_column", "label", "Of the class.")
    of.text("separator", None, "Between columns; found out if it is not given.")
    of.text("encoding", "utf-8", "Of the table, such as cp1252.")
    about = "Labels that mean that there is no answer, comma-separated."
    of.items("no_answer", about, may_be_empty=True)
    of.items("class_names", "The classes, comma-separated; else all that occur.")
    of.text(
        "classes",
        None,
        "Instead, a CSV file with the columns class, description and example (the "
        "name of a typical image).",
    )
    of.items("image_size", "Height and width that images are brought to; one for both.")
    fits = ("resize", "pad", "crop")
    of.choice("fit", "resize", fits, "How images get that size.")
    of.switch("drop_missing", "Leave out answers to images that are not in the folder.")
    about = "Share of the answered images that are kept to judge the models by."
    of.number("validation", 0.2, about, 0.01, 0.9)
    of.whole("seed", 0, "Of all that is drawn.", least=0)
    _of_model(of, _FROM_PIXELS, "mean_teacher")


def _of_model(of: Flags, backbone: str | None, ssl: str | None) -> None:
    of.text(
        "backbone",
        backbone,
        "small_cnn trains from pixels; a network with weights, such as "
        "efficientnetv2_b0, gives better features (see the page Backbones).",
    )
    of.text(
        "weights",
        None,
        "Of that network: a file, as `python -m keras_dc3.backbones fetch` writes it; "
        "else they are fetched.",
    )
    about = "Height and width that it resizes images to; else its own."
    of.whole("backbone_size", None, about)
    of.choice("ssl", ssl, strategy_names(), "The semi-supervised strategy.")


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


def _init(words: Sequence[str], values: FlagValues) -> str:
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


def _and_next(told: str, values: FlagValues) -> str:
    """Returns what a command says, and what to do after it."""
    return f"{told}\nNext: {_project(values).next_step()}"


def _describe(words: Sequence[str], values: FlagValues) -> str:
    _project(values).describe()
    return _and_next("", values)


def _of_train(of: Flags) -> None:
    of.number("time_limit", None, "Seconds that training may take.", least=1.0)
    of.whole("epochs", None, "How long to train; else what suits the data.")
    of.choice(
        "from",
        "new",
        ("new", "previous", "better"),
        "Begin with a new model, with that of the round before, or train both and keep "
        "the better one.",
    )
    _of_again(of)


def _train(words: Sequence[str], values: FlagValues) -> str:
    return _project(values).train(
        time_limit=values.time_limit,
        epochs=values.epochs,
        start_from=values["from"].value,
        again=values.again,
        verbose=1 if sys.stdout.isatty() else 2,  # a bar fills a file with its states
    )


def _of_again(of: Flags) -> None:
    of.switch("again", "Do it anew where it was done already.")


def _of_sheet(of: Flags) -> None:
    of.items("people", "Who answers, comma-separated.")
    of.whole("budget", 300, "Clicks or keys of each person, about.")
    shares = {
        "overlap": (0.2, "Share of the work that everybody does."),
        "control": (
            0.1,
            "Share of the images without a proposal; 1 for all.",
        ),
        "repetitions": (0.05, "Share of these that come a second time."),
    }
    for name, (default, about) in shares.items():
        of.number(name, default, about, most=1)
    of.text(
        "full_size",
        None,
        "How large people can see an image: pixels, or beside, for files beside the "
        "page.",
    )
    of.switch("again", "Write a further page for who has one.")


def _sheet(words: Sequence[str], values: FlagValues) -> str:
    people = _names(values.people)
    if not people:
        raise ValueError("`--people` must name who answers, such as anna,ben.")
    return _project(values).sheet(
        people,
        values.budget,
        overlap=values.overlap,
        control=values.control,
        repetitions=values.repetitions,
        full_size=_size(values.full_size),
        again=values.again,
    )


def _size(text: str | None) -> int | str | None:
    """Returns a number where there is one; all else is judged where pages are made."""
    return int(text) if text and text.isdecimal() else text or None


def _of_read(of: Flags) -> None:
    of.switch(
        "remove",
        "Take back files that were read: their answers no longer count. The files are "
        "kept in the folder of the round.",
    )


def _read(words: Sequence[str], values: FlagValues) -> str:
    project = _project(values)
    if values.remove:
        return project.remove_answers(list(words))
    return project.read(list(words) or None)


def _of_serve(of: Flags) -> None:
    of.items("people", "Who answers, comma-separated; else all who have a page.")
    of.text(
        "host",
        "127.0.0.1",
        "Name or address of this machine under which others reach it, or 0.0.0.0. "
        "Without it, pages can be opened on this machine alone.",
    )
    of.whole("port", PORT, "On which it is reached; 0 for any that is free.", least=0)
    of.items("names", "Further names under which others know this machine.")
    of.text(
        "answers",
        None,
        "Where files are named: the file of the answers; else answers.sqlite beside "
        "the first one.",
    )


def _serve(words: Sequence[str], values: FlagValues) -> str:
    people, names = _names(values.people), _names(values.names) or ()
    options = {"host": values.host, "port": values.port, "names": names}
    if words:
        if not people:
            raise ValueError("`--people` must name who answers, such as anna,ben.")
        server = Server(list(words), people, answers=values.answers, **options)
        then = (
            f'`keras_dc3.review.read("{server.answers}")` of Python reads them, '
            "also while the server runs."
        )
    elif values.answers is not None:
        raise ValueError(
            "`--answers` goes with named files; a project keeps the answers beside its "
            "pages."
        )
    else:
        server = _project(values).serve(people, **options)
        then = "`keras-dc3 read` takes them in."
    with server:
        for person, address in server.addresses.items():
            print(f"  {person}: {address}")
        print(
            "Each person opens the address of that name; who knows it, answers in that "
            "name.\nAnswers are kept as they come; Ctrl-C ends this.",
            flush=True,
        )
        until_stopped()
    return f"\nStopped. The answers are in {server.answers}.\nNext: {then}"


def _of_labels(of: Flags) -> None:
    of.text(
        "output",
        "labels.csv",
        "A file that ends in .csv, .jsonl or .parquet, or a new folder, ending in /, "
        "for a folder of each class.",
    )


def _labels(words: Sequence[str], values: FlagValues) -> str:
    found = _project(values).labels(values.output)
    return _and_next(f"{found}\n\nWritten: {values.output}", values)


def _of_report(of: Flags) -> None:
    of.text("output", None, "The file; else report.html in the project.")


def _of_withdraw(of: Flags) -> None:
    of.text("reason", "", "Why, for the records.")
    of.switch("undo", "Take them back.")
    of.switch("gone", "Withdraw all images that are no longer in the folder.")


def _withdraw(words: Sequence[str], values: FlagValues) -> str:
    project = _project(values)
    if values.undo:
        return project.restore(list(words))
    return project.withdraw(list(words), values.reason, gone=values.gone)


def _of_classes(of: Flags) -> None:
    of.items("add", "New classes, comma-separated.")
    of.items(
        "rename",
        "old=new, comma-separated; a new name that is there already unites both.",
    )
    of.text("description", "", "Of the one class that is added.")
    of.text("example", "", "A typical image of the one class that is added.")


def _classes(words: Sequence[str], values: FlagValues) -> str:
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


def _of_settings(of: Flags) -> None:
    of.text("images", None, "The folder in which the images are now.")
    _of_model(of, None, None)


def _settings(words: Sequence[str], values: FlagValues) -> str:
    given = {
        name: values[name].value
        for name in ("backbone", "weights", "backbone_size", "ssl")
        if values[name].value is not None
    }
    if values.images is None and not given:
        raise ValueError("Name what is to be changed, such as `--images FOLDER`.")
    return _project(values).change_settings(values.images, **given)


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
        _describe,
    ),
    Command(
        "train",
        "train a model on all answers so far",
        "Trains the model of this round. Stopped, it goes on from its last epoch when "
        "it is called again.",
        _of_train,
        _train,
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
        "serve",
        "give people their pages from this machine, and keep what they answer",
        "Gives the pages of this round, or the named ones, to people of one network, "
        "and prints an address for each. It runs until Ctrl-C; called again, the "
        "addresses and answers are the same.",
        _of_serve,
        _serve,
        words="[PAGE ...]",
        stopped="What was answered is kept.",
    ),
    Command(
        "read",
        "take in the files that people have downloaded from their pages",
        "Files, folders of files, or patterns such as review-*.json. Which page and "
        "round a file belongs to is known from the file. Without files, what "
        "`keras-dc3 serve` has kept so far.",
        _of_read,
        _read,
        words="[FILE ...]",
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
        lambda words, values: _and_next(
            f"Written: {_project(values).report(values.output)}", values
        ),
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
    SCORE,
    ASK,
)
COMMANDS = {command.name: command for command in _IN_ORDER}
