"""What a file is, whatever its name says, and which call takes it.

Standard library only.
"""

from keras_dc3._kinds.json_files import of_json
from keras_dc3._kinds.kind import Kind, check_file, of_bytes, sentence
from keras_dc3._kinds.texts import is_table, of_file, of_text

__all__ = [
    "Kind",
    "check_file",
    "is_table",
    "of_bytes",
    "of_file",
    "of_json",
    "of_text",
    "sentence",
]
