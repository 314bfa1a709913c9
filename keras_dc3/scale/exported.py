"""An exported model: what its folder says of it, and its answers, by TensorFlow."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cached_property
from typing import Any

import numpy as np

from keras_dc3._text import one_line
from keras_dc3._validation import check_class_names
from keras_dc3.metrics import Verdict
from keras_dc3.models.export import DESCRIPTION_FILE, FORMAT, WITH_EMBEDDINGS

_AGAIN = "Export it by `model.export(folder)` of this version."


class ExportedModel:
    """A model as `DC3Model.export` wrote it. It is loaded when it is first asked.

    Args:
        folder: that of the SavedModel.
        embeddings: whether it is to answer with embeddings, too.

    Attributes:
        class_names: of the columns of its class probabilities.
        image_shape: (h, w, c) of the images that it takes.
        verdict: whether its proposals are of use, or None.

    Raises:
        TypeError, ValueError, OSError: if there is no such model, or it takes no images
            of 0 to 255.
    """

    def __init__(self, folder: str | os.PathLike, embeddings: bool):
        if not isinstance(folder, str | os.PathLike):
            raise TypeError(
                "The model must be the folder that `model.export(folder)` wrote. "
                f"Received: {folder!r}"
            )
        self.folder, self._embeddings = os.fspath(folder), embeddings
        description = self._description()
        try:
            taken = description["input"]
            shape = tuple(taken["shape"][1:])
            self._input: str = taken["name"]
            takes_bytes = taken["uint8"] != "not taken"
            trained_on = taken.get("trained_on")
            names = check_class_names("class_names", description["class_names"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{os.path.join(self.folder, DESCRIPTION_FILE)!r} has been changed, or "
                f"is damaged ({type(error).__name__}: {error}). {_AGAIN}"
            ) from error
        if len(shape) != 3 or None in shape or shape[2] not in (1, 3):
            words = "features, not images" if len(shape) == 1 else f"images of {shape}"
            raise ValueError(
                f"The model in {self.folder!r} takes {words}: images of one size, gray "
                "or in color, can be scored. Of a model of features, export "
                "`model.with_image_backbone()`."
            )
        if not takes_bytes:
            raise ValueError(
                f"The model in {self.folder!r} takes no images of 0 to 255, as files "
                f"hold them: it was trained on {trained_on}. Propose by "
                "`model.propose` for images scaled likewise."
            )
        self.image_shape: tuple[int, int, int] = shape
        self.class_names: list[str] = list(names)
        verdict = description.get("verdict")
        self.verdict = (
            None if verdict is None else Verdict.from_json(json.dumps(verdict))
        )

    def _description(self) -> dict[str, Any]:
        path = os.path.join(self.folder, DESCRIPTION_FILE)
        if not os.path.isdir(self.folder):
            raise FileNotFoundError(
                f"There is no exported model in {self.folder!r}: name the folder that "
                "`model.export(folder)` wrote."
            )
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
            known = found["format"] == FORMAT
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.folder!r} holds no model as `model.export` writes it: there is "
                f"no {DESCRIPTION_FILE!r} that can be read. {_AGAIN}"
            ) from error
        if not known:
            raise ValueError(
                f"The model in {self.folder!r} is of the format {found['format']!r}, "
                f"and this version knows {FORMAT!r}. {_AGAIN}"
            )
        return found

    def fingerprint(self) -> str:
        """Returns what changes with any file of the model."""
        content = hashlib.sha256()
        paths = [
            os.path.join(inside, name)
            for inside, _, names in os.walk(self.folder)
            for name in names
        ]
        for path in sorted(paths):
            content.update(os.path.relpath(path, self.folder).encode() + b"\n")
            with open(path, "rb") as file:
                content.update(hashlib.file_digest(file, "sha256").digest())
        return content.hexdigest()

    @cached_property
    def _answer(self) -> Any:
        import tensorflow as tf

        try:
            loaded = tf.saved_model.load(self.folder)
        except Exception as error:  # nearly any, of files that are cut off or missing
            raise ValueError(
                f"The model in {self.folder!r} cannot be loaded, as it is damaged or "
                f"not whole ({one_line(str(error))}). Copy it again, or export it anew."
            ) from error
        name = WITH_EMBEDDINGS if self._embeddings else "serving_default"
        if name not in loaded.signatures:
            raise ValueError(
                f"The model in {self.folder!r} cannot answer with embeddings, as an "
                f"earlier version exported it. {_AGAIN}"
            )
        self._loaded = loaded  # its variables live as long as it does
        return loaded.signatures[name]

    def load(self) -> None:
        """Loads the model, which takes seconds."""
        _ = self._answer

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the outputs of the signature for uint8 images (n, h, w, c)."""
        import tensorflow as tf

        outputs = self._answer(**{self._input: tf.constant(images)})
        return {name: value.numpy() for name, value in outputs.items()}
