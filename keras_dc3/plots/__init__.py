"""Pictures of proposals. matplotlib is imported when a picture is drawn."""

from keras_dc3.plots.proposal_sheet import plot_proposals

__all__ = ["plot_proposals"]
