"""Single images of a folder, as a set of all its images would read them."""

from __future__ import annotations

import os
import warnings
from functools import cached_property

import numpy as np

from keras_dc3.data.decoding import read_header, read_image
from keras_dc3.data.image_files import FileImages
from keras_dc3.data.image_folder import list_images
from keras_dc3.data.stored_values import ValueRange


class FolderReader:
    """Reads images of a folder in their own sizes.

    Values of more than 8 bits, or with a sign, have the scale of `FileImages`, which
    follows from all images of the folder; found when the first such image is read.
    Where it does not follow, as some hold fractions and some whole numbers, each image
    has its own: nothing can be trained on such a folder without `value_range`.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: str | os.PathLike):
        self._folder = folder

    def read(self, path: str | os.PathLike) -> np.ndarray:
        """Returns the image as `data.read_image` does; raises as it does."""
        value_range = self._range if read_header(path).deep else None
        return read_image(path, value_range=value_range)

    @cached_property
    def _range(self) -> ValueRange | None:
        images = FileImages(self._folder, list_images(self._folder).files)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # told where they are read
            try:
                return images.stored_range
            except ValueError:
                return None
