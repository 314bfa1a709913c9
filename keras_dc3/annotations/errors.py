"""The error of annotations that cannot be used as they are."""


class AnnotationError(ValueError):
    """Annotations that cannot be read or do not fit; the message names the place."""


def no_name(place: str) -> AnnotationError:
    """Returns the error of an image without a name."""
    return AnnotationError(
        f"{place}: the image has no name. Name it or remove the line."
    )
