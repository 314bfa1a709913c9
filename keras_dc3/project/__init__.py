"""A project: a folder that knows all rounds from pictures to a label file.

`Project` is the way in; `keras-dc3` is the same from a command line.
"""

from keras_dc3.project.project import Project
from keras_dc3.project.settings import ClassDescription

__all__ = ["ClassDescription", "Project"]
