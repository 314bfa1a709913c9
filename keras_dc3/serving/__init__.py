"""Review sheets for the people of one laboratory, from one server.

`Server` gives each person the pages of `to_review`, and keeps what they answer.
"""

from keras_dc3.serving.server import Server

__all__ = ["Server"]
