"""The graph from image files to the images of a model. TensorFlow only.

It does what `data.ImageFormat` does by Pillow, on the same two libraries for JPEG and
PNG: files are turned upright as EXIF says, a JPEG that is much too large is decoded at
a fraction of its size, transparent pixels are laid over white, gray is the same gray,
and sizes are fitted by the same filter, first the width, then the height, each rounded.
"""

from __future__ import annotations

from typing import Any

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112  # the tag
_SEARCHED = 1 << 17  # bytes at the beginning of a file in which EXIF data begin
_WHITE = 255
_HALF = 0.5 + 1e-4  # what lies in the middle is rounded up, as by Pillow


def takes_files(model: Any) -> bool:
    """Whether image files can become what a `DC3Model` takes."""
    shape = model.image_shape
    is_of_images = len(shape) == 3 and None not in shape and shape[2] in (1, 3)
    return is_of_images and model.network.takes_bytes


def function_of_files(
    serve: Any, class_names: Any, image_shape: tuple[int, int, int], fit: str
) -> Any:
    """Returns a `tf.function` from image files to what another says of the images.

    It also answers with "class_name", that of the largest probability, as who asks by
    HTTP knows no columns.

    Args:
        serve: a `tf.function` of uint8 images.
        class_names: (k,) strings, a tensor.
        image_shape, fit: see `images_of_files`.
    """
    import tensorflow as tf

    spec = tf.TensorSpec((None,), "string", name="image_bytes")

    @tf.function(input_signature=[spec])
    def serve_files(image_bytes: Any) -> dict[str, Any]:
        outputs = serve(images_of_files(image_bytes, image_shape, fit))
        best = tf.argmax(outputs["class_probabilities"], axis=-1)
        return {**outputs, "class_name": tf.gather(class_names, best)}

    return serve_files


def images_of_files(
    files: Any, image_shape: tuple[int, int, int], fit: str = "resize"
) -> Any:
    """Returns uint8 (n, h, w, c) of a tensor of n JPEG and PNG files.

    Args:
        files: (n,) strings.
        image_shape: (h, w, c); 1 or 3 channels.
        fit: as of `data.ImageFormat`: "resize", "pad" or "crop".
    """
    import tensorflow as tf

    def decoded(file: Any) -> Any:
        pixels = _upright(_pixels(file, image_shape), file)
        if image_shape[2] == 1:
            pixels = _gray(pixels)
        size = image_shape[:2]
        pixels = _padded(pixels, size) if fit == "pad" else _filled(pixels, size, fit)
        return tf.ensure_shape(tf.cast(pixels, "uint8"), image_shape)

    spec = tf.TensorSpec(image_shape, "uint8")
    return tf.map_fn(decoded, files, fn_output_signature=spec)


def _pixels(file: Any, image_shape: tuple[int, int, int]) -> Any:
    """Returns int32 (h, w, 3) of one file, as it lies in the file."""
    import tensorflow as tf

    is_jpeg = tf.strings.substr(file, 0, len(_JPEG)) == _JPEG
    is_png = tf.strings.substr(file, 0, len(_PNG)) == _PNG
    header = tf.io.decode_raw(tf.strings.substr(file + b"\0" * 32, 0, 32), "uint8")
    bits = tf.cast(header[24], "int32")  # per value, of a PNG
    is_known = is_jpeg | is_png & (bits <= 8)
    words = "Each of `image_bytes` must be a JPEG or PNG file of 8 bits per value."
    with tf.control_dependencies([tf.debugging.Assert(is_known, [words])]):
        file = tf.identity(file)

    def of_jpeg() -> Any:
        options = {"channels": 3, "dct_method": "INTEGER_ACCURATE"}
        height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(file))
        times = tf.minimum(height, width) // (2 * max(image_shape[:2]))
        step = tf.reduce_sum(tf.cast(times >= [2, 4, 8], "int32"))
        branches = [
            lambda ratio=ratio: tf.io.decode_jpeg(file, ratio=ratio, **options)
            for ratio in (1, 2, 4, 8)
        ]
        return tf.cast(tf.switch_case(step, branches), "int32")

    def of_png() -> Any:
        image = tf.cast(tf.io.decode_png(file, channels=4), "int32")
        colors, alpha = image[..., :3], image[..., 3:]
        # Where the file has no transparency, TensorFlow makes its bits all ones.
        is_opaque = tf.reduce_all(alpha == tf.bitwise.left_shift(1, bits) - 1)
        alpha = tf.where(is_opaque, 255, alpha)
        return (colors * alpha + _WHITE * (255 - alpha) + 127) // 255

    return tf.ensure_shape(tf.cond(is_jpeg, of_jpeg, of_png), (None, None, 3))


def _upright(image: Any, file: Any) -> Any:
    """Returns an image, turned as the EXIF data of its file say."""
    import tensorflow as tf

    turn = _orientation(file)
    image = tf.cond(turn >= 5, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    is_mirrored = tf.reduce_any(turn == [2, 3, 6, 7])
    image = tf.cond(is_mirrored, lambda: image[:, ::-1], lambda: image)
    is_upside_down = tf.reduce_any(turn == [3, 4, 7, 8])
    return tf.cond(is_upside_down, lambda: image[::-1], lambda: image)


def _orientation(file: Any) -> Any:
    """Returns the EXIF orientation of a JPEG, int64 in 1..8; 1 where there is none."""
    import tensorflow as tf

    first = tf.strings.substr(file, 0, _SEARCHED)
    content = tf.cast(tf.io.decode_raw(first, "uint8"), "int64")
    content = tf.concat([content, tf.zeros(len(_EXIF), "int64")], 0)
    last = tf.size(content, "int64") - 1
    parts = [content[i : last - len(_EXIF) + 2 + i] == c for i, c in enumerate(_EXIF)]
    matches = tf.cast(tf.reduce_all(tf.stack(parts), axis=0), "int32")
    begin = tf.argmax(matches) + len(_EXIF)
    is_little = tf.gather(content, begin) == ord("I")

    def number(places: Any, size: int) -> Any:
        """Returns the numbers of so many bytes at each place."""
        steps = tf.range(size, dtype="int64")
        at = tf.clip_by_value(places[..., None] + steps, 0, last)
        powers = 256 ** tf.where(is_little, steps, size - 1 - steps)
        return tf.reduce_sum(tf.gather(content, at) * powers, axis=-1)

    table = begin + number(begin + 4, 4)
    entries = table + 2 + 12 * tf.range(tf.minimum(number(table, 2), 512))
    is_turn = (number(entries, 2) == _ORIENTATION) & (tf.reduce_max(matches) > 0)
    is_turn &= tf.strings.substr(file, 0, len(_JPEG)) == _JPEG
    turn = tf.reduce_sum(tf.where(is_turn, number(entries + 8, 2), 0))
    return tf.where((turn >= 1) & (turn <= 8), turn, 1)


def _gray(image: Any) -> Any:
    """Returns int32 (h, w, 1) of (h, w, 3), rounded as Pillow does."""
    import tensorflow as tf

    weights = tf.constant([19595, 38470, 7471])
    return (tf.reduce_sum(image * weights, -1, keepdims=True) + 32768) // 65536


def _filled(image: Any, size: tuple[int, int], fit: str) -> Any:
    """Returns an image that fills a size, whole or, for "crop", its middle."""
    import tensorflow as tf

    wanted = tf.constant(size, "float32")
    old = tf.cast(tf.shape(image)[:2], "float32")
    scales = wanted / old
    if fit == "crop":
        scales = tf.repeat(tf.reduce_max(scales), 2)
    return _scaled(image, size, scales, (wanted - old * scales) / 2)


def _padded(image: Any, size: tuple[int, int]) -> Any:
    """Returns an image that lies whole in the middle of a size, on white."""
    import tensorflow as tf

    old = tf.cast(tf.shape(image)[:2], "float64")
    scale = tf.reduce_min(tf.constant(size, "float64") / old)
    inner = tf.maximum(1, tf.cast(tf.round(old * scale), "int32"))
    scales = tf.cast(inner, "float32") / tf.cast(old, "float32")
    image = _scaled(image, inner, scales, tf.zeros(2))
    top, left = tf.unstack((size - inner) // 2)
    below, right = tf.unstack(size - inner - (size - inner) // 2)
    edges = [[top, below], [left, right], [0, 0]]
    return tf.pad(image, edges, constant_values=_WHITE)


def _scaled(image: Any, size: Any, scales: Any, shift: Any) -> Any:
    """Returns an image of a size; pixel x of it was at (x - shift) / scales."""
    import tensorflow as tf

    height = tf.shape(image)[0]
    for target, scale, moved in (
        ((height, size[1]), (1.0, scales[1]), (0.0, shift[1])),
        ((size[0], size[1]), (scales[0], 1.0), (shift[0], 0.0)),
    ):
        image = tf.raw_ops.ScaleAndTranslate(
            images=tf.cast(image, "float32")[None],
            size=tf.stack(target),
            scale=tf.stack(scale),
            translation=tf.stack(moved),
            kernel_type="triangle",
            antialias=True,
        )[0]
        image = tf.cast(tf.floor(image + _HALF), "int32")
    return image
