"""Pictures of data, augmentation and proposals. Drawing one imports matplotlib."""

from keras_dc3.plots.cluster_sheet import plot_clusters
from keras_dc3.plots.embedding_sheet import plot_embedding
from keras_dc3.plots.example_sheet import plot_examples
from keras_dc3.plots.proposal_sheet import plot_proposals
from keras_dc3.plots.view_sheet import plot_views

__all__ = [
    "plot_clusters",
    "plot_embedding",
    "plot_examples",
    "plot_proposals",
    "plot_views",
]
