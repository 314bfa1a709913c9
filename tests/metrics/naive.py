"""Scores written down once more, plainly, to compare with."""

import math


def inner_distances(soft_labels, clusters):
    """Returns cluster -> distances of its members to their centroid."""
    members = {}
    for label, cluster in zip(soft_labels, clusters, strict=True):
        members.setdefault(int(cluster), []).append([float(v) for v in label])
    return {
        cluster: [
            math.dist(label, [sum(v) / len(labels) for v in zip(*labels, strict=True)])
            for label in labels
        ]
        for cluster, labels in members.items()
    }


def mean_inner_distance(soft_labels, clusters):
    distances = inner_distances(soft_labels, clusters).values()
    if not distances:
        return math.nan
    return sum(sum(d) / len(d) for d in distances) / len(distances)


def size_weighted(soft_labels, clusters):
    distances = inner_distances(soft_labels, clusters).values()
    flat = [d for cluster in distances for d in cluster]
    return sum(flat) / len(flat) if flat else math.nan


def shares(row):
    """Returns class -> 1 / m for the m classes that most people chose."""
    most = [c for c, value in enumerate(row) if value >= max(row) - 1e-9]
    return {c: 1 / len(most) for c in most}


def weighted_f1(y_true, y_pred):
    """`y_true` holds classes, or rows of which the largest count."""
    truth = [shares(t) if hasattr(t, "__len__") else {int(t): 1.0} for t in y_true]
    pairs = [(t, int(p)) for t, p in zip(truth, y_pred, strict=True)]
    if not pairs:
        return math.nan
    total = 0.0
    for c in {c for t, _ in pairs for c in t}:
        support = sum(t.get(c, 0.0) for t, _ in pairs)
        hits = sum(t.get(c, 0.0) for t, p in pairs if p == c)
        predicted = sum(p == c for _, p in pairs)
        total += support * 2 * hits / (support + predicted)
    return total / len(pairs)


def auroc(scores, positives):
    yes = [s for s, p in zip(scores, positives, strict=True) if p]
    no = [s for s, p in zip(scores, positives, strict=True) if not p]
    if not yes or not no:
        return math.nan
    wins = sum((a > b) + 0.5 * (a == b) for a in yes for b in no)
    return wins / (len(yes) * len(no))


def argmax(row):
    row = [float(v) for v in row]
    return row.index(max(row))


def entropy(row):
    return -sum(float(p) * math.log(p) for p in row if p > 0)


def margin(row):
    second, first = sorted([0.0, *map(float, row)])[-2:]
    return first - second


def given_labels(soft_labels, draws):
    """Returns the class at which the sum of a row's shares passes its draw in 0..1."""
    labels = []
    for row, draw in zip(soft_labels, draws, strict=True):
        label, passed = 0, float(row[0])
        while passed <= draw * sum(float(v) for v in row):
            label += 1
            passed += float(row[label])
        labels.append(label)
    return labels


def f1_most_confident(majority, probabilities, number):
    order = sorted(
        range(len(majority)),
        key=lambda i: (-max(probabilities[i]), entropy(probabilities[i])),
    )[:number]
    return weighted_f1(
        [majority[i] for i in order], [argmax(probabilities[i]) for i in order]
    )


def joined_features(features, probabilities):
    rows = []
    for feature, row in zip(features, probabilities, strict=True):
        length = math.hypot(*map(float, feature)) or 1.0
        rows.append([float(v) / length for v in feature])
        rows[-1] += [2 * math.sqrt(p) for p in row]
    return rows
