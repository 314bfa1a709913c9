"""The command `ask`: flags of `keras_dc3.scale.Scores`."""

from __future__ import annotations

from collections.abc import Sequence

from absl.flags import FlagValues

from keras_dc3 import review
from keras_dc3.command_line.command import Command, Flags
from keras_dc3.command_line.scoring import range_of
from keras_dc3.data import FileImages
from keras_dc3.scale import Scores


def _define(of: Flags) -> None:
    of.whole("budget", 500, "Expected clicks or keys to spend.")
    of.whole("groups", None, "Ask about so many groups alone, the most useful ones.")
    about = "Files of answers that review pages gave so far, comma-separated."
    of.items("answers", about)
    of.text("to", None, "The review page to write, such as round-1.html.")
    about = "Folder of the images; only those of the page are read."
    of.text("images", None, about)
    about = (
        "Black and white of images of more than 8 bits, as for score, such as 0,4095."
    )
    of.items("value_range", about)
    about = "Order images in groups by embeddings, where the scores have some."
    of.switch("embeddings", about, default=True)
    of.whole("memory", 4096, "MiB that embeddings may take at once.")


def _ask(words: Sequence[str], values: FlagValues) -> str:
    if len(words) != 1:
        raise ValueError(
            "Name the folder of the scores: `keras-dc3 ask SCORES`. Received: "
            f"{' '.join(words) or 'nothing'}"
        )
    if bool(values.to) != bool(values.images):
        raise ValueError(
            "`--to` names the page to write, and `--images` the folder of its images: "
            "give both, or none to see what would be asked."
        )
    scores = Scores(
        words[0], embeddings=values.embeddings, memory=values.memory * 2**20
    )
    answers = review.read(values.answers) if values.answers else None
    asked = scores.next(values.budget, answers)
    if values.groups is not None:
        every, asked = asked, asked.first_groups(values.groups)
        if every and not asked:
            raise ValueError(
                "No group is worth asking about as a whole: its images alone tell more "
                "for the clicks that they take. Leave `--groups` out."
            )
    told = [scores.summary(), "", str(asked)]
    if values.to:
        images = values.images
        if values.value_range:  # else the scale would follow from the whole folder
            scale = range_of(values.value_range)
            images = FileImages(images, asked.ids, value_range=scale)
        pages = asked.to_review(values.to, images)
        told.append(f"Written: {', '.join(pages)}")
    else:
        told += [f"  {question}" for question in asked[:10]]
    return "\n".join(told)


ASK = Command(
    "ask",
    "what to ask people next about the images that `score` has judged",
    "Reads the files of SCORES one after the other, however many they are, and says "
    "which groups and images promise most for the clicks that they take. With --to and "
    "--images it writes a review page of these.",
    _define,
    _ask,
    words="SCORES",
    stopped="Nothing was written; call it again.",
)
