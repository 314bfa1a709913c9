"""Many dimensions in two."""

from __future__ import annotations

import numpy as np

from keras_dc3._extras import optional

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "principal components"}
_FEW = 5  # fewer points have no neighborhoods that t-SNE or UMAP could keep
_DIMENSIONS = 50  # of what t-SNE and UMAP get


def project(points: np.ndarray, method: str, seed: int) -> np.ndarray:
    """Returns places (n, 2) in the plane.

    t-SNE starts at the principal components, with a perplexity of 30, or a third of the
    points if that is less. t-SNE and UMAP get the first 50 principal components. Fewer
    than five points are placed by their principal components.

    Args:
        points: float (n, d), n at least 1.
        method: a key of `METHODS`.
        seed: of t-SNE and UMAP.

    Raises:
        ImportError: if the package of the method is not installed.
    """
    n = len(points)
    places = _components(points, _DIMENSIONS)
    plane = places[:, :2]
    if method == "tsne":
        otherwise = '; or pass method="pca".'
        sklearn = optional(
            "sklearn.manifold", "t-SNE needs scikit-learn", "demo", otherwise
        )
        if n >= _FEW:
            scale = plane[:, 0].std() or 1.0
            return sklearn.TSNE(
                perplexity=min(30.0, n / 3),
                init=(1e-4 * plane / scale).astype("float32"),
                random_state=seed,
            ).fit_transform(places)
    if method == "umap":
        otherwise = '; or pass method="tsne".'
        umap = optional("umap", "UMAP needs umap-learn", "umap", otherwise)
        if n >= _FEW:
            neighbors = min(15, n - 1)
            reducer = umap.UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1)
            return np.asarray(reducer.fit_transform(places))
    return plane


def _components(points: np.ndarray, number: int) -> np.ndarray:
    """Returns the first principal components, two at least, the first ones largest."""
    points = points.astype("float64")
    points = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    axes = axes[:, ::-1][:, :number]
    # The sign of an axis means nothing; let it be the same everywhere.
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])
    places = points @ axes
    return np.pad(places, ((0, 0), (0, max(0, 2 - places.shape[1]))))
