"""What people said about images: annotations from tables, and what follows from them.

Importing this needs NumPy only; pandas is imported by `to_frame`.
"""

from keras_dc3.annotations.annotations import Annotations
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.names import class_order
from keras_dc3.annotations.records import Records

__all__ = ["AnnotationError", "Annotations", "Records", "class_order"]
