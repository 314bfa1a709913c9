"""Image files of odd kinds, made for the tests."""

import io
import struct
import zlib

import numpy as np


def picture(size=(24, 32), seed=0):
    """Returns a smooth uint8 picture (h, w, 3) of many values."""
    y, x = np.mgrid[: size[0], : size[1]]
    waves = [y * (2 + seed % 3) + x, y + 3 * x + 40, 255 - 2 * y - x]
    return np.stack(waves, axis=-1).clip(0, 255).astype("uint8")


def save(path, pixels, **options):
    """Writes an array by Pillow; the format is that of the name, or `format`."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def encode(pixels, form, mode=None, **options):
    """Returns the bytes of an image file."""
    from PIL import Image

    image = Image.fromarray(pixels)
    file = io.BytesIO()
    (image if mode is None else image.convert(mode)).save(file, form, **options)
    return file.getvalue()


def frames(form, number=3, size=(20, 20)):
    """Returns the bytes of a file of several frames, brighter one after the other."""
    from PIL import Image

    images = [
        Image.fromarray(np.full((*size, 3), 60 * (i + 1), "uint8"))
        for i in range(number)
    ]
    file = io.BytesIO()
    images[0].save(file, form, save_all=True, append_images=images[1:])
    return file.getvalue()


def deep_png(values, transparent=None):
    """Returns the bytes of a PNG of 16 bits per value, for uint16 (h, w, 1 to 4).

    `transparent` is the gray value, or (red, green, blue), that stands for that.
    """
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name, content):
        sum_ = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + sum_

    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    key = b"" if transparent is None else np.array(transparent, ">u2").tobytes()
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"tRNS", key) if key else b"",
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


def deep_tiff(values):
    """Returns the bytes of a little-endian TIFF of 16 bits, for uint16 (h, w, 3)."""
    height, width, channels = values.shape
    pixels = values.astype("<u2").tobytes()
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, 8 + len(pixels)),  # where the bits per value stand
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(pixels)),
    ]
    bits = struct.pack("<3H", 16, 16, 16)
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    start = 8 + len(pixels) + len(bits)
    return b"II*\0" + struct.pack("<I", start) + pixels + bits + directory


def gray_tiff(values, white_is_zero=False):
    """Returns the bytes of a TIFF of numbers (h, w), of their type and byte order."""
    order = ">" if values.dtype.byteorder == ">" else "<"
    height, width = values.shape
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8 * values.itemsize),
        (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, values.nbytes),
        (339, 3, kind),
    ]
    pixels = values.tobytes() + bytes(values.nbytes % 2)
    directory = struct.pack(order + "H", len(tags))
    for tag, size, value in tags:
        packed = struct.pack(order + ("I" if size == 4 else "Hxx"), value)
        directory += struct.pack(order + "HHI", tag, size, 1) + packed
    start = struct.pack(order + "I", 8 + len(pixels))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + start + pixels + directory + bytes(4)


NAMES = ("cod", "haddock", "neither")


def write(folder, number=24, size=(12, 12), channels=3):
    """Writes PNG files, ten to a folder; returns what they hold."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (number, *size, channels)).astype("uint8")
    for i, image in enumerate(pixels):
        save(folder / f"{i // 10}" / f"{i:03d}.png", image.squeeze())
    return pixels


def counts(number=24):
    """Returns what five people said of each image."""
    return np.random.default_rng(4).multinomial(5, [0.5, 0.3, 0.2], size=number)


def files(folder, **options):
    """Returns the images of a folder, annotated."""
    from keras_dc3.data import FileImages, list_images

    listed = list_images(folder).files
    return FileImages(folder, listed, counts(len(listed)), NAMES, **options)
