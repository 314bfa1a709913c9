"""K-means that lives in a network: prototypes spread, moved, and placed anew if empty.

Shapes are static, nothing loops over the rows, and nothing is random: one memory gives
one set of prototypes, on every replica and backend.
"""

from __future__ import annotations

from typing import Any

from keras import ops

# Fractional parts of multiples of the golden ratio: evenly spread, and never periodic.
_GOLDEN = 0.6180339887498949


def joined_features(features: Any, class_probabilities: Any) -> Any:
    """Returns z = (features / ||features||, 2 sqrt p_n), float32 (n, d + k).

    So a cluster is of images that look alike and are taken for the same classes. No
    gradient flows through z.

    Args:
        features: float (n, d).
        class_probabilities: p_n, float (n, k).
    """
    features = ops.cast(features, "float32")
    norms = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
    p = ops.maximum(ops.cast(class_probabilities, "float32"), 0.0)
    z = [features / ops.maximum(norms, 1e-12), 2.0 * ops.sqrt(p)]
    return ops.stop_gradient(ops.concatenate(z, axis=-1))


def squared_distances(points: Any, prototypes: Any) -> Any:
    """Returns |point - prototype|^2, at least 0, (n, k')."""
    products = ops.matmul(points, ops.transpose(prototypes))
    squares = ops.sum(ops.square(points), axis=-1)[:, None]
    return ops.maximum(
        squares - 2.0 * products + ops.sum(ops.square(prototypes), axis=-1)[None], 0.0
    )


def spread_prototypes(points: Any, valid: Any, num_clusters: int) -> Any:
    """Picks prototypes among points, far from each other (as k-means++ does).

    Each next one is drawn with a probability proportional to the squared distance to
    those that are there already; the draws are `frac(j * golden ratio)`.

    Args:
        points: float (m, e).
        valid: 1 for points to choose from, 0 for others, float (m,); one at least.
        num_clusters: k'.

    Returns:
        (k', e).
    """
    rows = ops.arange(num_clusters)

    def pick(j: Any, state: Any) -> Any:
        prototypes, distances = state
        cumulated = ops.cumsum(distances)
        draw = ops.cast(j, "float32") * _GOLDEN
        draw = (draw - ops.floor(draw)) * cumulated[-1]
        # The first point whose cumulated weight is above the draw.
        at = ops.argmax(ops.cast(cumulated > draw, "int32"))
        point = ops.take(points, at, axis=0)[None]
        prototypes = ops.where((rows == j)[:, None], point, prototypes)
        new = squared_distances(points, point)[:, 0] * valid
        # The first pick ends the uniform weights that the loop begins with.
        distances = ops.where(j == 0, new, ops.minimum(distances, new))
        return prototypes, distances

    start = ops.zeros((num_clusters, points.shape[-1]), "float32")
    return ops.fori_loop(0, num_clusters, pick, (start, valid))[0]


def move_prototypes(prototypes: Any, points: Any, valid: Any) -> Any:
    """Moves prototypes by one step of k-means (Lloyd's).

    Each becomes the mean of the points nearest to it. One without any starts anew at a
    point that is far from its prototype.

    Args:
        prototypes: (k', e).
        points: float (m, e).
        valid: 1 for points that count, 0 for others, float (m,).

    Returns:
        (k', e).
    """
    num_clusters = prototypes.shape[0]
    distances = squared_distances(points, prototypes)
    nearest = ops.argmin(distances, axis=-1)
    members = ops.one_hot(nearest, num_clusters, dtype="float32") * valid[:, None]
    counts = ops.sum(members, axis=0)
    means = ops.matmul(ops.transpose(members), points)
    means = means / ops.maximum(counts, 1.0)[:, None]
    empty = counts < 0.5
    # The i-th empty one takes the i-th of the points farthest from their prototype.
    number = min(num_clusters, points.shape[0])
    farthest = ops.top_k(ops.min(distances, axis=-1) * valid, number)[1]
    turn = ops.clip(ops.cumsum(ops.cast(empty, "int32")) - 1, 0, number - 1)
    anew = ops.take(points, ops.take(farthest, turn, axis=0), axis=0)
    return ops.where(empty[:, None], anew, means)


def remember(memory: Any, written: Any, points: Any, selected: Any) -> tuple[Any, Any]:
    """Writes the selected points into a ring of the last m of them.

    Args:
        memory: (m + 1, e); the last row is for points that are not selected.
        written: number of points written so far, int32 scalar.
        points: float (n, e).
        selected: 0 or 1, (n,).

    Returns:
        The new memory, and the new number.
    """
    size = memory.shape[0] - 1
    selected = ops.cast(selected, "int32")
    turn = written + ops.cumsum(selected) - 1
    at = ops.where(selected > 0, ops.mod(turn, size), size)
    memory = ops.scatter_update(memory, at[:, None], points)
    return memory, written + ops.sum(selected)
