"""How far people agree, how long they take, and how far proposals bias them.

Importing this needs NumPy only.
"""

from keras_dc3.agreement.answers import control_share
from keras_dc3.agreement.bias import ProposalBias, fit_bias
from keras_dc3.agreement.comparing import Comparison, compare
from keras_dc3.agreement.correction import CorrectedLabels
from keras_dc3.agreement.estimate import Estimate
from keras_dc3.agreement.final_labels import FinalLabels, final_labels
from keras_dc3.agreement.measuring import (
    Agreement,
    PairAgreement,
    PersonAgreement,
    measure,
)
from keras_dc3.agreement.stopping import stopping
from keras_dc3.agreement.stopping_told import CostCurve, Stopping
from keras_dc3.agreement.times import TimeCounts

__all__ = [
    "Agreement",
    "Comparison",
    "CorrectedLabels",
    "CostCurve",
    "Estimate",
    "FinalLabels",
    "PairAgreement",
    "PersonAgreement",
    "ProposalBias",
    "Stopping",
    "TimeCounts",
    "compare",
    "control_share",
    "final_labels",
    "fit_bias",
    "measure",
    "stopping",
]
