"""The image files of a folder. Standard library only."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_READABLE = """.jpg .jpeg .jpe .jif .jfif .jps .mpo .jpg_large .png .apng .bmp .dib
    .gif .tif .tiff .webp .ppm .pgm .pbm .pnm"""
_OTHER_IMAGES = """.3fr .arw .avif .avifs .bpg .cdr .cin .cr2 .cr3 .crw .cur .czi .dcm
    .dcr .dcx .dds .dicom .djv .djvu .dng .dpx .emf .eps .erf .exr .fit .fits .flif .fpx
    .fts .hdp .hdr .heic .heics .heif .hif .icns .ico .iff .iiq .ims .j2c .j2k .jng .jp2
    .jpc .jpf .jph .jpm .jpx .jxl .jxr .k25 .kdc .kra .ktx .ktx2 .lbm .lif .lsm .mha
    .mhd .mng .mrc .mrw .mrxs .nd2 .ndpi .nef .nhdr .nii .nrrd .nrw .oib .oif .ora .orf
    .pam .pcd .pct .pcx .pef .pfm .pict .psb .psd .qoi .raf .ras .rw2 .rwl .scn .sgi
    .sr2 .srf .srw .svg .svgz .svs .tga .vsi .wdp .wmf .x3f .xbm .xcf .xpm .zvi"""
READABLE = frozenset(_READABLE.split())  # extensions
_OTHERS = frozenset(_OTHER_IMAGES.split())
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")
# What systems and tools leave behind; names that begin with a dot are passed over too.
_CLUTTER = re.compile(
    r"__macosx|__pycache__|lost\+found|[@#$](eadir|recycle|recycle\.bin|snapshot|tmp)|"
    r"@(recently-snapshot|synoresource|sharebin)|found\.[0-9]{3}|_gsdata_|"
    r"system volume information|network trash folder|temporary items|"
    r"thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|(?-i:RECYCLER)",
    re.IGNORECASE,
)


class FolderListing(NamedTuple):
    """The image files of a folder.

    files: sorted paths relative to the folder, with "/". left_out: extension -> number
    of image files of a kind that cannot be read, packed ones (.nii.gz) too.
    passed_over: hidden files and folders, what systems leave behind, and pipes, sockets
    and devices.
    """

    files: tuple[str, ...]
    left_out: dict[str, int]
    passed_over: int


def list_images(folder: str | os.PathLike) -> FolderListing:
    """Returns the image files in a folder and in the folders in it.

    Files are told by their extension, in whatever spelling: .jpg .jpeg .jpe .jif .jfif
    .jps .mpo .jpg_large .png .apng .bmp .dib .gif .tif .tiff .webp .ppm .pgm .pbm .pnm;
    those without one by their first bytes. Others are no images. Symbolic links are
    followed.

    Raises:
        TypeError: if `folder` is no path.
        FileNotFoundError, NotADirectoryError: if there is no such folder.
        ValueError: if a link leads in a circle, to nothing, or to a folder that is
            found elsewhere too, or a name cannot be written as text.
        OSError: if a folder may not be read.

    Example:

    >>> keras_dc3.data.list_images("fish").files[:2]
    ('img_0.png', 'img_1.png')
    """
    if not isinstance(folder, str | os.PathLike):
        raise TypeError(
            f"The folder of images must be a path, such as 'fish'. Received: {folder!r}"
        )
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        kind = NotADirectoryError if os.path.exists(folder) else FileNotFoundError
        raise kind(
            f"There is no folder of images {folder!r}. Name the folder that holds them."
        )
    files: list[str] = []
    left_out: Counter[str] = Counter()
    passed_over = 0
    for name, looked_at in _walk(folder):
        stem, extension = os.path.splitext(name.lower())
        if not looked_at:
            passed_over += 1
        elif extension in READABLE or (not extension and _is_image(folder, name)):
            files.append(name)
        elif extension in _OTHERS:
            left_out[extension] += 1
        elif extension == ".gz":
            inner = os.path.splitext(stem)[1]
            if inner in READABLE or inner in _OTHERS:
                left_out[inner + extension] += 1
    files.sort()
    _check_names(folder, files)
    return FolderListing(tuple(files), dict(left_out.most_common()), passed_over)


def is_clutter(name: str) -> bool:
    """Whether a file or folder is hidden, or one that a system leaves behind."""
    return name.startswith(".") or _CLUTTER.fullmatch(name) is not None


def _walk(folder: str) -> Iterator[tuple[str, bool]]:
    """Yields the relative path of each file, and False for what is passed over."""
    known = {_identity(os.stat(folder)): "."}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with _scan(folder, inside) as entries:
            for entry in entries:
                name = inside + entry.name
                if is_clutter(entry.name):
                    yield name, False
                    continue
                if entry.is_symlink():
                    _check_link(folder, name)
                if not entry.is_dir():
                    yield name, entry.is_file()  # to open a pipe may wait for ever
                    continue
                first = known.setdefault(_identity(os.stat(entry.path)), name)
                if first != name:
                    raise ValueError(
                        f"The folder {entry.path!r} is the same as {first!r} of "
                        f"{folder!r}, by a symbolic link: its images would be there "
                        "twice or without end. Remove the link."
                    )
                waiting.append(name + "/")


def _scan(folder: str, inside: str) -> os._ScandirIterator:
    path = os.path.join(folder, inside)
    try:
        return os.scandir(path)
    except OSError as error:
        raise OSError(
            f"The folder {path!r} cannot be read ({error.strerror or error}). Allow "
            "reading it, or move it elsewhere."
        ) from error


def _is_image(folder: str, name: str) -> bool:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read(4).startswith(_SIGNATURES)
    except OSError:
        return False


def _check_link(folder: str, name: str) -> None:
    path = os.path.join(folder, name)
    try:
        os.stat(path)
    except OSError as error:
        raise ValueError(
            f"The symbolic link {path!r} leads nowhere, to {os.readlink(path)!r} "
            f"({error.strerror or error}). Fetch its file or remove the link."
        ) from error


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _check_names(folder: str, files: list[str]) -> None:
    """Raises ValueError for names that no table could hold."""
    try:
        "".join(files).encode("utf-8")
    except UnicodeEncodeError as error:
        for name in files:
            if any("\ud800" <= letter <= "\udfff" for letter in name):
                raise ValueError(
                    f"The file name {name!r} in {folder!r} is not text in UTF-8, so no "
                    "table could name it. Rename it."
                ) from error
