"""The version of this package; `setup.py` reads it."""

__version__ = "0.2.0"
