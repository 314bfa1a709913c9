"""What features tell by themselves, without a training: classes, and disagreement."""

from keras_dc3.probes.class_probe import ClassProbe
from keras_dc3.probes.disagreement_probe import (
    DisagreementCoefficients,
    DisagreementProbe,
)

__all__ = [
    "ClassProbe",
    "DisagreementCoefficients",
    "DisagreementProbe",
]
