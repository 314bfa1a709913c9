"""Packaging of keras_dc3."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+?)"', (ROOT / "keras_dc3" / "_version.py").read_text("utf-8")
).group(1)

# The demonstration and the plots; scikit-learn also ships the demonstration's digits.
DEMO = ["matplotlib>=3.8", "scikit-learn>=1.4"]
IMAGES = ["pillow>=11"]  # image files
# Drives an installed Chromium in the tests of the page, and judges it by axe-core.
REVIEW = ["playwright>=1.50", "axe-playwright-python>=0.1.7"]
SERVE = ["aiohttp>=3.9"]  # a server of pages
BEAM = ["apache-beam>=2.77"]  # scores of images by many machines
PANDAS = ["pandas>=2"]  # annotations as data frames
PARQUET = ["pyarrow>=15"]  # proposals as Parquet files
FILES_BY_ADDRESS = ["fsspec>=2024.2"]  # images in stores, by gs:// or s3://
NEIGHBOURS = ["faiss-cpu>=1.8"]  # the nearest of many groups
HUB = ["keras-hub>=0.20"]  # presets of image encoders
CV = ["keras-cv>=0.9"]  # no longer developed
ONNX = ["tf2onnx>=1.16", "onnx>=1.16", "onnxruntime>=1.18"]
LITERT = ["ai-edge-litert>=1.2"]  # runs LiteRT files; TensorFlow alone writes them
DOCS = ["mkdocs>=1.6", "mkdocs-material>=9.5", "mkdocstrings[python]>=1"]  # the site
TEST = [
    *BEAM,
    *DEMO,
    *FILES_BY_ADDRESS,
    *IMAGES,
    *LITERT,
    *NEIGHBOURS,
    *ONNX,
    *PANDAS,
    *PARQUET,
    *REVIEW,
    *SERVE,
    "pytest>=8",
    "pytest-xdist>=3",  # the tests on two cores take half the time
    "hypothesis>=6.100",
    "krippendorff>=0.6",  # it and statsmodels compute agreement, as we do
    "statsmodels>=0.14",
    "cleanlab>=2.6",  # its label quality score is one that we report
    "crowd-kit>=1.4",  # it and cleanlab take annotations from us
    "ruff>=0.9",
    "dill",  # tensorflow-datasets' test case needs it and does not say so
    "importlib_resources",  # likewise
    "tensorboard",
]

setup(
    name="keras_dc3",
    version=VERSION,
    description="Images whose labels people disagree on: DC3 for Keras 3",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    author="The keras_dc3 authors",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["keras_dc3", "keras_dc3.*"]),
    package_data={
        "keras_dc3": ["py.typed"],
        "keras_dc3.review": ["*.html", "*.css", "*.js", "vendor/*"],
    },
    install_requires=[
        "tensorflow>=2.18",
        "keras>=3.12",
        "tensorflow-datasets>=4.9.7",
        "numpy>=1.26",
        "absl-py>=2.1",
    ],
    entry_points={"console_scripts": ["keras-dc3=keras_dc3.command_line:main"]},
    extras_require={
        "beam": [*BEAM, *IMAGES, *PARQUET],
        "cv": CV,
        "demo": [*DEMO, *IMAGES],
        "docs": DOCS,
        "fiftyone": ["fiftyone>=1"],
        "hub": HUB,
        "images": IMAGES,
        # In an environment of its own, for the test against a real server.
        "label-studio": ["label-studio>=1.13"],
        "litert": LITERT,
        "neighbours": NEIGHBOURS,
        "onnx": ONNX,
        "pandas": PANDAS,
        "parquet": PARQUET,
        "remote": [*FILES_BY_ADDRESS, "gcsfs>=2024.2", "s3fs>=2024.2"],
        "serve": SERVE,
        "test": TEST,
        "umap": ["umap-learn>=0.5.5"],
    },
    classifiers=[
        "Programming Language :: Python :: 3",
        "Typing :: Typed",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
