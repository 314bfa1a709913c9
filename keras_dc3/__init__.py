"""keras_dc3: images whose labels people disagree on.

The whole path: `keras_dc3.datasets.load` -> `DC3Model.fit` -> `DC3Model.propose`.
"""

from keras_dc3 import _quiet  # noqa: F401

# isort: split
from keras_dc3 import (
    agreement,
    annotations,
    backbones,
    callbacks,
    data,
    datasets,
    experiments,
    exports,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    plots,
    probes,
    project,
    proposals,
    review,
    scale,
    serving,
    strategies,
)
from keras_dc3._version import __version__
from keras_dc3.annotations import Annotations
from keras_dc3.config import DC3Config
from keras_dc3.models import DC3Model
from keras_dc3.objective import DC3Objective
from keras_dc3.project import Project
from keras_dc3.proposals import Proposals
from keras_dc3.strategies import SSLStrategy

__all__ = [
    "Annotations",
    "DC3Config",
    "DC3Model",
    "DC3Objective",
    "Project",
    "Proposals",
    "SSLStrategy",
    "__version__",
    "agreement",
    "annotations",
    "backbones",
    "callbacks",
    "data",
    "datasets",
    "experiments",
    "exports",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "plots",
    "probes",
    "project",
    "proposals",
    "review",
    "scale",
    "serving",
    "strategies",
]
