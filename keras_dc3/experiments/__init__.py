"""Grids of trainings: strategies x configs x seeds, resumable, and what they show."""

from keras_dc3.experiments.study import Study
from keras_dc3.experiments.summary import Summary, summarize

__all__ = ["Study", "Summary", "summarize"]
