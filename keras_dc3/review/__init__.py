"""Review sheets: pages on which people label from proposals, and what they answered.

`Proposals.to_review` writes them, `read` reads the files that they give.
"""

from keras_dc3.review.reading import read
from keras_dc3.review.review import Review

__all__ = ["Review", "read"]
