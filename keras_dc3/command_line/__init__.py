"""`keras-dc3`: a project from a command line. `main` runs one command."""

from keras_dc3.command_line.main import main

__all__ = ["main"]
