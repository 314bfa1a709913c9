"""Trainings that are compared: resumable grids of them, or two models of a project."""

from keras_dc3.experiments.study import Study
from keras_dc3.experiments.summary import Summary, summarize
from keras_dc3.experiments.warm_start import NextModel, warm_or_anew

__all__ = ["NextModel", "Study", "Summary", "summarize", "warm_or_anew"]
