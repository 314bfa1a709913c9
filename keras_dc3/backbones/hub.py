"""Image encoders of KerasHub, by the names of its presets (the extra `[hub]`)."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from collections.abc import Iterator
from typing import Any

import keras

from keras_dc3._extras import optional
from keras_dc3.backbones.backbone import Backbone, check_size
from keras_dc3.backbones.scaling import Scaling

# How the names of presets begin, and what keras_dc3 does without the package.
_FAMILIES = (
    *("clip", "cspnet", "deit", "densenet", "dinov", "efficientnet", "hgnet"),
    *("metaclip", "mit", "mobilenet", "resnet", "siglip", "swin", "vgg", "vit"),
    "xception",
)
_SCHEMES = ("hub:", "kaggle://", "hf://", "modelscope://")
# Which features their authors take of tokens: the class token stands first.
_BY_FIRST = ("DINOV2Backbone", "DINOV3Backbone", "DeiTBackbone", "ViTBackbone")
_TOKENS = {**dict.fromkeys(_BY_FIRST, "first"), "SwinTransformerBackbone": "mean"}
# They make position embeddings for other sizes, or have none.
_ANY_SIZE = ("DINOV2Backbone", "DINOV3Backbone")
_BLOCKS = (
    r"stack\d+_block\d+|block_?\d+[a-z]?(_\d+)?|(?<=encoder_)block_\d+"
    r"|(?<=layers_)\d+$|transformer_block_\d+"
)


def may_know(name: str) -> bool:
    """Whether a name can be one of a preset; only the package itself knows."""
    if name.startswith(_SCHEMES) or os.path.isdir(name):
        return True
    if not name.startswith(_FAMILIES) or "_" not in name:
        return False
    if importlib.util.find_spec("keras_hub") is None:
        return True
    return name in _hub().models.Backbone.presets


def make(name: str, weights: Any, image_size: Any = None) -> Backbone:
    """Returns the image encoder of a preset of KerasHub as a backbone.

    Args:
        name: of a preset, `"hub:NAME"` for one that begins in a way not known here, an
            address such as "hf://...", or a folder that holds one.
        weights: `"imagenet"`: those of the preset, whatever they were trained on; a
            folder with them, as `fetch` writes it; None: random ones.
        image_size: one number or (height, width); None: what it was trained on.

    Raises:
        ImportError: if KerasHub is not installed.
        ValueError: for what encodes no images, a size that it does not take, or the
            weights of another network.
        OSError: if the preset cannot be fetched.
    """
    models, preset = _hub().models, name.removeprefix("hub:")
    folder = None if weights in ("imagenet", None) else os.fspath(weights)
    if folder is not None and not os.path.isfile(os.path.join(folder, "config.json")):
        raise FileNotFoundError(
            f"{folder!r} is no folder of a preset of KerasHub, with its config.json. "
            f"Fetch one: `python -m keras_dc3.backbones fetch {name} --to {folder}`."
        )
    if folder is not None:
        _check_is_same(preset, folder)
    load = {"load_weights": weights is not None}
    with _no_network(name, folder or preset):
        network = models.Backbone.from_preset(folder or preset, **load)
        size = None if image_size is None else check_size(image_size)
        if size is not None and size != _size_of(network):
            _check_takes(network, size)
            shape = {"image_shape": (*size, 3)}
            network = models.Backbone.from_preset(folder or preset, **load, **shape)
        converter = _converter(folder or preset)
    return _backbone(network, converter, size, f"{preset}".rpartition("/")[2])


def is_classifier(network: Any) -> bool:
    """Whether a model is a task of KerasHub around a backbone."""
    is_of_hub = type(network).__module__.startswith("keras_hub.")
    return is_of_hub and hasattr(network, "backbone")


def of_classifier(network: Any) -> Backbone:
    """Returns the backbone of a task of KerasHub, with its preprocessing.

    Raises:
        ValueError: if it has none.
    """
    converter = getattr(network.preprocessor, "image_converter", None)
    if converter is None:
        raise ValueError(
            f"The classifier {network.name!r} has no preprocessor, so how it wants "
            "images is not known: pass its `backbone`, with `scaling=`."
        )
    return _backbone(network.backbone, converter, None, network.backbone.name)


def tokens_of(network: Any) -> str | None:
    """Returns what the authors of a backbone of KerasHub take of its tokens."""
    return _TOKENS.get(type(network).__name__)


def fetch(name: str, folder: str) -> None:
    """Writes a preset with its weights and its preprocessing into a folder.

    Raises:
        ImportError, ValueError, OSError: as for `make`.
    """
    preset = name.removeprefix("hub:")
    with _no_network(name, preset):
        network = _hub().models.Backbone.from_preset(preset)
        converter = _converter(preset)
    network.save_to_preset(folder)
    converter.save_to_preset(folder)


def _hub() -> Any:
    return optional("keras_hub", "This backbone needs the package 'keras-hub'", "hub")


def _backbone(
    network: Any, converter: Any, size: tuple[int, int] | None, name: str
) -> Backbone:
    size = size or _size_of(network) or converter.image_size
    if hasattr(network, "get_vision_embeddings"):
        encoder = network.vision_encoder
        images = keras.Input(encoder.image_shape)
        size = tuple(encoder.image_shape[:2])
        features = network.get_vision_embeddings(images)
        network = keras.Model(images, features, name=encoder.name)
    elif len(network.output_shape) != 4 and tokens_of(network) is None:
        raise ValueError(
            f"{name!r} is a {type(network).__name__}, which encodes no images as "
            "features. Take one of those that docs/backbones.md lists."
        )
    scale, offset = (
        default if given is None else given
        for given, default in ((converter.scale, 1.0), (converter.offset, 0.0))
    )
    return Backbone(
        network,
        Scaling(scale, offset),
        size,
        tokens=tokens_of(network),
        interpolation=converter.interpolation,
        blocks=_BLOCKS,
        name=name,
    )


def _converter(preset: str) -> Any:
    try:
        return _hub().layers.ImageConverter.from_preset(preset)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The preset {preset!r} lacks image_converter.json, which tells how it "
            "wants images. Fetch it by `python -m keras_dc3.backbones fetch`."
        ) from error


def _size_of(network: Any) -> tuple[int, int] | None:
    shape = getattr(network, "image_shape", (None, None))
    return None if None in shape[:2] else tuple(shape[:2])


def _check_takes(network: Any, size: tuple[int, int]) -> None:
    """Raises ValueError for a size that a network has no position embeddings for."""
    is_map = len(getattr(network, "output_shape", ())) == 4
    if is_map or type(network).__name__ in _ANY_SIZE:
        return
    own = "x".join(
        map(str, _size_of(network) or network.vision_encoder.image_shape[:2])
    )
    raise ValueError(
        f"{type(network).__name__} takes images of {own} alone, which others are "
        f"resized to inside: leave `image_size` out. Received: image_size={size}"
    )


def _check_is_same(preset: str, folder: str) -> None:
    """Raises ValueError where a folder holds another network than a known preset."""
    models = _hub().models
    known = models.Backbone.presets.get(preset)
    if known is None:
        return
    found = models.Backbone.from_preset(folder, load_weights=False)
    wanted = known["metadata"]["params"]
    is_family = preset in type(found).presets
    if not is_family or abs(found.count_params() - wanted) > wanted // 20:
        raise ValueError(
            f"The folder {folder!r} holds another network than {preset!r}: a "
            f"{type(found).__name__} with {found.count_params():,} weights instead of "
            f"{wanted:,}. Fetch its own: `python -m keras_dc3.backbones fetch {preset} "
            "--to FOLDER`."
        )


@contextlib.contextmanager
def _no_network(name: str, preset: str) -> Iterator[None]:
    """Tells in one sentence what to do where a preset cannot be fetched."""
    try:
        yield
    except (OSError, ValueError) as error:
        if os.path.isdir(preset) or not _is_of_network(error):
            raise
        folder = re.sub(r"\W+", "_", name)
        raise OSError(
            f"The preset {name!r} cannot be fetched from here. Where there is a "
            f"network, run `python -m keras_dc3.backbones fetch {name} --to {folder}`, "
            "copy the folder here, and pass its path: "
            f'`keras_dc3.backbones.pretrained("{name}", weights="{folder}")`.'
        ) from error


def _is_of_network(error: BaseException) -> bool:
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return True
    return "has no config.json" in str(error)  # what is said of Hugging Face
