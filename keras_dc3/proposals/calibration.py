"""Class probabilities as sure as they are right, by a temperature. NumPy only."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from keras_dc3._text import as_list
from keras_dc3._validation import check_soft_labels
from keras_dc3.proposals.data import ProposalData

_Proposals = TypeVar("_Proposals", bound=ProposalData)

_TEMPERATURES = 2.0 ** np.arange(-2, 5.01, 1 / 16)
_SPREAD = 1.0  # of ln T before any image was seen: a Gaussian prior around T = 1
_LEAST = 1e-12


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Returns p^(1 / T), rows summing to 1: (n, k).

    The most probable class stays the same; T above 1 makes it less probable.

    Args:
        probabilities: (n, k), rows sum to 1.
        temperature: T, above 0.
    """
    logits = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(probabilities: np.ndarray, soft_labels: np.ndarray) -> float:
    """Returns the temperature under which people's answers are likeliest.

    That is, the T of which the cross entropy with the soft labels, summed over the
    images, and (ln T)^2 / 2, by which few images leave it near 1, is lowest (Guo et
    al., 2017, "On Calibration of Modern Neural Networks"). T is at least 1/4 and at
    most 32.

    Args:
        probabilities: (n, k) of images that the model was not trained on.
        soft_labels: (n, k) of these images, rows sum to 1.
    """
    losses = [
        -(soft_labels * np.log(np.maximum(tempered(probabilities, t), _LEAST))).sum()
        + 0.5 * (np.log(t) / _SPREAD) ** 2
        for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def calibrated(proposals: _Proposals, known: Any, soft_labels: Any) -> _Proposals:
    """See `Proposals.calibrated`."""
    if not isinstance(known, ProposalData):
        raise TypeError(
            "`known` must be proposals, such as `model.propose(data.validation)`. "
            f"Received: {type(known).__name__}"
        )
    if known.class_names != proposals.class_names:
        raise ValueError(
            "`known` must have the classes of these proposals, "
            f"{as_list(proposals.class_names)}. Received: {as_list(known.class_names)}"
        )
    check_soft_labels("soft_labels", soft_labels)
    labels = np.asarray(soft_labels, "float64")
    if labels.shape != (len(known), len(proposals.class_names)):
        raise ValueError(
            f"`soft_labels` must be one of each of the {len(known):,} images of "
            f"`known`, over {len(proposals.class_names)} classes. Received: shape "
            f"{labels.shape}"
        )
    temperature = fit_temperature(known.class_probabilities, labels)
    p = tempered(proposals.class_probabilities, temperature)
    made = proposals.of_classes(p, proposals.class_names)
    made.verdict = proposals.verdict
    return made
