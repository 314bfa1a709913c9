"""The error of annotations that cannot be used as they are."""


class AnnotationError(ValueError):
    """Annotations that cannot be read or do not fit; the message names the place."""
