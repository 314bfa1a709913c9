"""Where machines find the model and leave shards: a folder that they share, or a store.

Those of the driver, which begins a pipeline and waits for its end, are `begin`,
`collect` and `end`; those of the workers, `model` and `write`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from keras_dc3.proposals import shards
from keras_dc3.proposals.shards import MANIFEST, Shard
from keras_dc3.scale.shard_writer import ShardWriter
from keras_dc3.scale.sources import places


class SharedFolder:
    """All machines see the same files under the same names.

    Args:
        model: the folder of the exported model.
        folder: of the driver, where shards are to lie; it has a manifest.
    """

    def __init__(self, model: str, folder: str):
        self._model, self._folder = model, folder

    def begin(self) -> None:
        """Has nothing to do."""

    @contextmanager
    def model(self) -> Iterator[str]:
        """Gives the folder of the model."""
        yield self._model

    def write(self, writer: ShardWriter) -> Shard:
        """Writes a shard.

        Raises:
            OSError: if it cannot be written, as where the folder is not shared.
        """
        if not os.path.exists(os.path.join(self._folder, MANIFEST)):
            raise FileNotFoundError(
                f"This worker does not see {self._folder!r}, where the pipeline was "
                "begun. Make the result in a folder that all machines share under the "
                "same name, or name a store that all reach: `through`."
            )
        return writer.write(self._folder)

    def collect(self) -> None:
        """Removes what workers have left that were killed while they wrote."""
        for entry in os.listdir(self._folder):
            if entry.startswith("."):
                shutil.rmtree(os.path.join(self._folder, entry), ignore_errors=True)

    def end(self) -> None:
        """Has nothing to do."""


class Store:
    """All machines reach a store, in which model and shards lie until the end.

    Args:
        model: the folder of the exported model, on the driver.
        folder: of the driver, where shards are to lie.
        through: address in the store, below which a new folder is made.

    Raises:
        ValueError: if that is no address.
    """

    def __init__(self, model: str, folder: str, through: str):
        if not isinstance(through, str) or not places.is_address(through):
            raise ValueError(
                "`through` must be an address that all machines reach, such as "
                f"'gs://bucket/temporary'. Received: {through!r}"
            )
        self._model, self._folder = model, folder
        self._address = f"{through.rstrip('/')}/scores-{uuid.uuid4().hex}"

    def begin(self) -> None:
        """Brings the model there."""
        for inside, _, names in os.walk(self._model):
            for name in names:
                path = os.path.join(inside, name)
                below = os.path.relpath(path, self._model).replace(os.sep, "/")
                places.put_file(path, f"{self._address}/model/{below}")

    @contextmanager
    def model(self) -> Iterator[str]:
        """Gives a folder with the model, fetched from the store."""
        with tempfile.TemporaryDirectory() as folder:
            places.get_folder(f"{self._address}/model", folder)
            yield folder

    def write(self, writer: ShardWriter) -> Shard:
        """Writes a shard, and brings it to the store.

        Raises:
            OSError: if it cannot be written.
        """
        name = shards.name_of(writer.number)
        with tempfile.TemporaryDirectory() as folder:
            shard = writer.write(folder)
            places.put_file(
                os.path.join(folder, name), f"{self._address}/shards/{name}"
            )
        return shard

    def collect(self) -> None:
        """Fetches the shards."""
        places.get_folder(f"{self._address}/shards", self._folder)

    def end(self) -> None:
        """Removes all of it from the store."""
        places.remove_folder(self._address)


Exchange = SharedFolder | Store
