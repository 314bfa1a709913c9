"""The whole objective against NumPy loops, and where its gradients flow."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3 import DC3Config
from keras_dc3.collective import Collective
from keras_dc3.objective import TERMS, DC3Objective
from keras_dc3.testing import gradients
from tests.slow import crossed

K, CLUSTERS = 3, 6

# Every preset, made deterministic where it draws its partners.
PRESETS = {
    "default": DC3Config(),
    "paper": DC3Config.paper(partner="mean"),
    "reference": DC3Config.reference(partner="mean"),
    "vanilla": DC3Config.vanilla(),
    "ce_inverse_only": DC3Config.ce_inverse_only(),
    "cc_only": DC3Config.cc_only(),
    "reference, low mask": DC3Config.reference(partner="mean", inverse_mask=0.5),
    "paper, no ambiguity": DC3Config.paper(partner="mean", ambiguity_weight=0.0),
    "default, scaled": DC3Config(scale_ssl=True, scale_labeled=True, prior=0.29),
    "default, other view": DC3Config(consistency_target="anchor"),
}


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def softmax(row):
    exponents = np.exp(np.asarray(row, "float64") - np.max(row))
    return exponents / exponents.sum()


def sigmoid(value):
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


def entropy(p):
    return -sum(v * math.log(max(v, 1e-7)) for v in p)


def inverse(p, q):
    return -sum(a * math.log(max(1 - b, 1e-7)) for a, b in zip(p, q, strict=True))


def reference(
    config, targets, labeled, anchor, partner, labeled_loss, ssl_loss, weight
):
    """Computes the terms image by image, from the equations."""
    m, n = len(labeled_loss), len(ssl_loss)

    def p_a(outputs, i):
        if config.ambiguity_weight == 0:
            return 0.0
        return sigmoid(float(outputs["ambiguity_logits"][i]))

    def certain(i):  # of a labeled image, where the config says so
        return 1 - p_a(labeled, i) if config.scale_labeled else 1.0

    terms = dict.fromkeys(TERMS, 0.0)
    for i in range(m):
        terms["supervised"] += labeled_loss[i] * certain(i) * weight[i] / m
    for i in range(n):
        scale = 1 - p_a(anchor, i) if config.scale_ssl else 1.0
        terms["ssl"] += ssl_loss[i] * scale / n

    # CE^-1: (part, cluster distribution, class, confidence, certainty) of each image.
    images = []
    for i in range(m):
        clusters = softmax(labeled["cluster_logits"][i])
        images.append(("l", clusters, int(np.argmax(targets[i])), 1.0, certain(i)))
    for i in range(n):
        p = softmax(anchor["class_logits"][i])
        clusters = softmax(anchor["cluster_logits"][i])
        images.append(("u", clusters, int(p.argmax()), p.max(), 1 - p_a(anchor, i)))
    for part, clusters, label, confidence, certainty in images:
        partners = [
            image
            for image in images
            if image[2] != label
            and (config.inverse_pool == "batch" or image[0] == part)
        ]
        if not partners or confidence < config.inverse_mask:
            continue
        loss = sum(inverse(clusters, image[1]) for image in partners) / len(partners)
        terms["inverse"] += (
            config.inverse_weight * loss * certainty / (m if part == "l" else n)
        )

    # L_A
    scores = []
    for i in range(n):
        if config.rank_by == "ambiguity":
            scores.append(float(anchor["ambiguity_logits"][i]))
            continue
        p = softmax(anchor["class_logits"][i])
        if partner is not None:
            p = (p + softmax(partner["class_logits"][i])) / 2
        scores.append(entropy(p))
    order = sorted(range(n), key=lambda i: (-scores[i], i))
    marked = set(order[: math.floor(n * config.prior)])
    for i in range(n):
        logit = float(anchor["ambiguity_logits"][i])
        p = sigmoid(logit if i in marked else -logit)
        terms["ambiguity"] -= config.ambiguity_weight * math.log(p) / n

    # L_S
    for i in range(n if partner is not None else 0):
        p, q = (softmax(view["cluster_logits"][i]) for view in (partner, anchor))
        if config.consistency_target == "anchor":
            p, q = q, p
        loss = -sum(a * math.log(b) for a, b in zip(p, q, strict=True))
        terms["consistency"] += config.consistency_weight * loss * p_a(anchor, i) / n
    return terms


def outputs(random, rows, scale=2.0):
    return {
        "class_logits": random.normal(0, scale, (rows, K)).astype("float32"),
        "cluster_logits": random.normal(0, scale, (rows, CLUSTERS)).astype("float32"),
        "ambiguity_logits": random.normal(0, scale, rows).astype("float32"),
    }


def batch(m=4, n=9, seed=0, views=2, scale=2.0):
    random = np.random.default_rng(seed)
    return {
        "targets": random.dirichlet(np.full(K, 0.3), m).astype("float32"),
        "labeled": outputs(random, m, scale),
        "anchor": outputs(random, n, scale),
        "partner": outputs(random, n, scale) if views == 2 else None,
        "labeled_loss": random.random(m).astype("float32"),
        "ssl_loss": random.random(n).astype("float32"),
    }


def compute(config, parts, seed=None, **changes):
    objective = DC3Objective(config, Collective(), seed)
    parts = keras.tree.map_structure(
        lambda value: None if value is None else ops.convert_to_tensor(value),
        {**parts, **changes},
    )
    return objective(**parts).terms._asdict()


def check(config, parts, weight=None):
    terms = compute(config, parts, sample_weight=weight)
    assert tuple(terms) == TERMS
    ones = np.ones(len(parts["labeled_loss"]))
    expected = reference(config, **parts, weight=ones if weight is None else weight)
    for name in TERMS:
        assert terms[name].shape == ()
        assert keras.backend.standardize_dtype(terms[name].dtype) == "float32"
        assert float(terms[name]) == pytest.approx(expected[name], rel=2e-4, abs=1e-6)
    return terms


@pytest.mark.parametrize("name", PRESETS)
def test_presets_against_numpy(name):
    for seed, (m, n, views) in enumerate([(4, 9, 2), (6, 3, 2), (5, 5, 1), (1, 1, 2)]):
        check(PRESETS[name], batch(m, n, seed, views))


@pytest.mark.parametrize("name", ["default", "paper", "default, scaled"])
def test_the_ranking_marks_the_images_of_the_prior(name):
    parts = keras.tree.map_structure(ops.convert_to_tensor, batch(n=10))
    ranking = numpy(DC3Objective(PRESETS[name], Collective())(**parts).ranking)
    assert ranking.sum() == math.floor(10 * PRESETS[name].prior)
    if PRESETS[name].rank_by == "ambiguity":
        scores = numpy(parts["anchor"]["ambiguity_logits"])
        assert scores[ranking == 1].min() > scores[ranking == 0].max()


@pytest.mark.parametrize("name", PRESETS)
def test_one_class_only(name):
    parts = batch()
    parts["targets"] = np.eye(K, dtype="float32")[[1] * 4]
    parts["anchor"]["class_logits"][:, 1] += 50.0
    terms = check(PRESETS[name], parts)
    assert float(terms["inverse"]) == 0.0  # nobody has a partner


@pytest.mark.parametrize("name", PRESETS)
def test_sample_weight(name):
    parts = batch()
    check(PRESETS[name], parts, np.array([0.0, 2.0, 0.5, 1.0], "float32"))
    zero = compute(PRESETS[name], parts, sample_weight=np.zeros(4, "float32"))
    assert float(zero["supervised"]) == 0.0
    # Weights are those of the labels: the other terms stay.
    for term in TERMS[1:]:
        assert float(zero[term]) == float(compute(PRESETS[name], parts)[term])


def test_ties_are_broken_by_position():
    parts = batch(n=10)
    parts["anchor"]["class_logits"][:] = 0.0
    parts["partner"]["class_logits"][:] = 0.0
    check(DC3Config(), parts)
    parts["anchor"]["ambiguity_logits"][:] = 0.3
    check(DC3Config.paper(partner="mean"), parts)


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_priors_at_the_ends(prior):
    check(DC3Config(prior=prior), batch())


def test_random_partners_are_drawn_from_the_seed():
    parts, config = batch(), DC3Config(partner="random")
    first, again, other = (
        float(compute(config, parts, seed=keras.random.SeedGenerator(seed))["inverse"])
        for seed in (1, 1, 2)
    )
    assert first == again != other
    # The mean of many draws is the mean over the partners.
    generator = keras.random.SeedGenerator(5)
    draws = [
        float(compute(config, parts, seed=generator)["inverse"]) for _ in range(99)
    ]
    mean = float(compute(DC3Config(), parts)["inverse"])
    assert abs(np.mean(draws) - mean) < 4 * np.std(draws) / math.sqrt(99)


# Terms of weight 0 ------------------------------------------------------------


def test_vanilla_is_the_strategy_alone():
    parts = batch()
    terms = compute(DC3Config.vanilla(), parts)
    assert [float(terms[name]) for name in TERMS[2:]] == [0.0, 0.0, 0.0]
    assert float(terms["supervised"]) == pytest.approx(
        parts["labeled_loss"].mean(), rel=1e-5
    )
    assert float(terms["ssl"]) == pytest.approx(parts["ssl_loss"].mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "zeros"),
    [
        ("ce_inverse_only", {"ambiguity", "consistency"}),
        ("cc_only", {"inverse"}),
        ("vanilla", {"inverse", "ambiguity", "consistency"}),
        ("default", set()),
    ],
)
@pytest.mark.parametrize("scale", [2.0, 1e4])
def test_terms_of_weight_zero_are_exactly_zero(name, zeros, scale):
    terms = compute(PRESETS[name], batch(scale=scale))
    assert {term for term in TERMS if float(terms[term]) == 0.0} >= zeros
    if scale == 2.0:
        assert {term for term in TERMS if float(terms[term]) == 0.0} == zeros


# Gradients --------------------------------------------------------------------

PARTS = ("labeled", "anchor", "partner")


def gradients_of(config, term, parts=None, **changes):
    """Returns gradients of a term (None: their sum) for each output of each part."""
    parts = {**(parts or batch()), **changes}
    inputs = {name: parts[name] for name in PARTS if parts[name] is not None}

    def value(inputs):
        terms = compute(config, {**parts, **inputs})
        return sum(terms.values()) if term is None else terms[term]

    found = gradients(value, inputs)
    return {
        (part, name): gradient
        for part, of_part in found.items()
        for name, gradient in of_part.items()
    }


def reached(config, term, **changes):
    """Returns which outputs a term's gradient reaches, as "part name"."""
    return {
        f"{part} {name.removesuffix('_logits')}"
        for (part, name), gradient in gradients_of(config, term, **changes).items()
        if gradient.any()
    }


def test_where_the_default_s_gradients_flow():
    config = DC3Config()
    assert reached(config, "supervised") == set()
    assert reached(config, "ssl") == set()
    assert reached(config, "inverse") == {"labeled cluster", "anchor cluster"}
    assert reached(config, "ambiguity") == {"anchor ambiguity"}
    assert reached(config, "consistency") == {"anchor cluster"}


def test_where_the_paper_s_gradients_flow():
    config = DC3Config.paper(partner="mean")
    assert reached(config, "supervised") == {"labeled ambiguity"}
    assert reached(config, "ssl") == {"anchor ambiguity"}
    assert reached(config, "inverse") == {
        "labeled cluster",
        "anchor cluster",
        "labeled ambiguity",
        "anchor ambiguity",
    }
    assert reached(config, "ambiguity") == {"anchor ambiguity"}
    assert reached(config, "consistency") == {
        "anchor cluster",
        "partner cluster",
        "anchor ambiguity",
    }


def test_where_the_reference_s_gradients_flow():
    config = DC3Config.reference(partner="mean", inverse_mask=0.0)
    assert reached(config, "supervised") == set()
    assert reached(config, "ssl") == set()
    assert reached(config, "inverse") == {"labeled cluster", "anchor cluster"}
    assert reached(config, "ambiguity") == {"anchor ambiguity"}
    assert reached(config, "consistency") == {"anchor cluster", "partner cluster"}


def test_vanilla_gives_the_heads_zero_gradients():
    for gradient in gradients_of(DC3Config.vanilla(), None).values():
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


@pytest.mark.parametrize("stop", [False, True])
def test_stop_ambiguity_gradient(stop):
    """Eq. 1 as printed raises p_a where the scaled losses are high."""
    config = DC3Config(scale_ssl=True, scale_labeled=True, stop_ambiguity_gradient=stop)
    for term in ("supervised", "ssl", "inverse", "consistency"):
        found = reached(config, term)
        assert ("anchor ambiguity" in found or "labeled ambiguity" in found) != stop
    if not stop:
        found = gradients_of(config, "ssl")["anchor", "ambiguity_logits"]
        assert (found < 0).all()  # descent makes the images more ambiguous
        p = 1 / (1 + np.exp(-batch()["anchor"]["ambiguity_logits"]))
        expected = -batch()["ssl_loss"] * p * (1 - p) / 9
        np.testing.assert_allclose(found, expected, rtol=1e-4)
        assert (
            gradients_of(config, "consistency")["anchor", "ambiguity_logits"] > 0
        ).all()


@pytest.mark.parametrize("scale", [False, True])
def test_scale_ssl_and_scale_labeled(scale):
    config = DC3Config(
        scale_ssl=scale, scale_labeled=scale, stop_ambiguity_gradient=False
    )
    assert reached(config, "ssl") == ({"anchor ambiguity"} if scale else set())
    assert reached(config, "supervised") == ({"labeled ambiguity"} if scale else set())
    assert ("labeled ambiguity" in reached(config, "inverse")) == scale
    assert "anchor ambiguity" in reached(config, "inverse")


@pytest.mark.parametrize("target", ["partner", "anchor"])
@pytest.mark.parametrize("stop", [False, True])
def test_consistency_target(target, stop):
    config = DC3Config(consistency_target=target, stop_consistency_target=stop)
    other = {"partner": "anchor", "anchor": "partner"}[target]
    expected = {f"{other} cluster"} | (set() if stop else {f"{target} cluster"})
    assert reached(config, "consistency") == expected
    # The gradient of a cross-entropy for its logits: p_a (q - p) / n.
    parts = batch()
    p, q = (
        np.array([softmax(row) for row in parts[view]["cluster_logits"]])
        for view in (target, other)
    )
    p_a = 1 / (1 + np.exp(-parts["anchor"]["ambiguity_logits"]))
    np.testing.assert_allclose(
        gradients_of(config, "consistency")[other, "cluster_logits"],
        config.consistency_weight * p_a[:, None] * (q - p) / 9,
        rtol=1e-3,
        atol=1e-6,
    )


@pytest.mark.parametrize("mask", [0.0, 0.7])
def test_inverse_mask_is_on_the_anchors_alone(mask):
    parts = batch()
    confidence = np.array(
        [softmax(row).max() for row in parts["anchor"]["class_logits"]]
    )
    below = confidence < 0.7
    assert 0 < below.sum() < 9
    config = DC3Config(inverse_mask=mask, stop_ambiguity_gradient=False)
    found = gradients_of(config, "inverse")
    # Through its own certainty, an anchor is reached by its own loss only.
    assert (found["anchor", "ambiguity_logits"][below] == 0).all() == (mask > 0)
    assert (found["anchor", "ambiguity_logits"][~below] != 0).all()
    # As a partner, an unconfident image is still pushed away.
    assert found["anchor", "cluster_logits"][below].any(axis=-1).all()


def test_inverse_pool():
    """In the pool "part" a labeled image never meets an unlabeled one."""
    parts = batch()
    parts["targets"] = np.eye(K, dtype="float32")[[0] * 4]  # no labeled partners
    assert reached(DC3Config(inverse_pool="part"), "inverse", **parts) == {
        "anchor cluster"
    }
    assert reached(DC3Config(inverse_pool="batch"), "inverse", **parts) == {
        "anchor cluster",
        "labeled cluster",
    }


def test_labels_come_from_the_targets_not_from_the_prediction():
    parts = batch()
    other = {**parts, "labeled": {**parts["labeled"], "class_logits": np.eye(4, K) * 9}}
    assert float(compute(DC3Config(), parts)["inverse"]) == float(
        compute(DC3Config(), other)["inverse"]
    )


def test_where_classes_tie_the_predicted_one_of_them_counts():
    parts = batch(m=4)
    parts["targets"] = np.array(
        [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0.4, 0.2, 0.4], [0, 0.9, 0.1]],
        "float32",
    )
    parts["labeled"]["class_logits"] = np.array(
        [[0, 1, 9], [2, 1, 3], [1, 9, 0], [9, 0, 9]], "float32"
    )
    of_one_class = {**parts, "targets": np.eye(K, dtype="float32")[[1, 2, 0, 1]]}
    for config in PRESETS.values():
        assert float(compute(config, parts)["inverse"]) == float(
            compute(config, of_one_class)["inverse"]
        )


def test_ambiguity_gradient_is_towards_the_rank():
    parts = batch(n=10)
    found = gradients_of(DC3Config(), "ambiguity", parts)["anchor", "ambiguity_logits"]
    assert (found < 0).sum() == 6  # p_a of 6 of 10 images shall rise
    scores = [
        entropy((softmax(a) + softmax(b)) / 2)
        for a, b in zip(
            parts["anchor"]["class_logits"],
            parts["partner"]["class_logits"],
            strict=True,
        )
    ]
    assert set(np.flatnonzero(found < 0)) == set(np.argsort(scores)[-6:])


def test_clusters_of_different_classes_are_pushed_apart():
    """A step along the gradient lowers the overlap of their clusters."""
    parts = batch(m=2, n=2)
    parts["targets"] = np.eye(K, dtype="float32")[[0, 1]]
    parts["labeled"]["cluster_logits"][:] = np.arange(CLUSTERS)
    found = gradients_of(DC3Config(inverse_pool="part"), "inverse", parts)
    # Equal clusters get equal gradients, against the cluster that they share most.
    step = found["labeled", "cluster_logits"]
    np.testing.assert_allclose(step[0], step[1], rtol=1e-4)
    assert step[0].argmax() == CLUSTERS - 1 and step[0][-1] > 0


@pytest.mark.parametrize(
    ("name", "extreme"), crossed(list(PRESETS), ["same", "signs", "all equal"])
)
def test_gradients_are_finite_at_extreme_logits(name, extreme):
    parts = batch()
    for part in PARTS:
        for key, value in parts[part].items():
            if extreme == "same":  # one class, one cluster, all ambiguous
                parts[part][key] = np.full_like(value, -1e4)
                parts[part][key][..., 0] = 1e4
            elif extreme == "signs":
                parts[part][key] = np.where(value > 0, 1e4, -1e4).astype("float32")
            else:
                parts[part][key] = np.zeros_like(value)
    for term in TERMS:
        assert np.isfinite(float(compute(PRESETS[name], parts)[term]))
    for gradient in gradients_of(PRESETS[name], None, parts).values():
        assert np.isfinite(gradient).all()


# The collective ---------------------------------------------------------------


class Halves(Collective):
    """The first or second half of a global batch, for which the other is known."""

    replicas = 2

    def __init__(self, recorded, replica):
        self.recorded, self.replica, self.calls = recorded, replica, 0

    def _other(self, value):
        self.recorded[self.replica].append(value)
        others = self.recorded[1 - self.replica]
        other = others[self.calls] if self.calls < len(others) else value
        self.calls += 1
        return other

    def sum(self, value):
        return value + self._other(value)

    def gather(self, value):
        parts = [value, self._other(value)]
        return ops.concatenate(parts if self.replica == 0 else parts[::-1], axis=0)

    def local(self, value, like):
        n = like.shape[0]
        return value[:n] if self.replica == 0 else value[-n:]


@pytest.mark.parametrize("name", PRESETS)
def test_replicas_add_up_to_the_global_batch(name):
    """Through the collective alone, the shares of two halves sum to the whole."""
    whole = batch(m=6, n=10)

    def part(start):
        rows = {
            "l": slice(3 * start, 3 * start + 3),
            "u": slice(5 * start, 5 * start + 5),
        }

        def cut(value, kind):
            return keras.tree.map_structure(lambda v: v[rows[kind]], value)

        kinds = {"targets": "l", "labeled": "l", "labeled_loss": "l"}
        return {key: cut(value, kinds.get(key, "u")) for key, value in whole.items()}

    recorded = [[], []]
    for _ in range(2):  # the second time, each half knows what the other one sends
        shares = []
        for replica in (0, 1):
            mine = [recorded[0], recorded[1]]
            mine[replica] = []
            objective = DC3Objective(PRESETS[name], Halves(mine, replica))
            parts = keras.tree.map_structure(ops.convert_to_tensor, part(replica))
            shares.append(objective(**parts).terms._asdict())
            recorded[replica] = mine[replica]
    expected = compute(PRESETS[name], whole)
    for term in TERMS:
        assert float(shares[0][term]) + float(shares[1][term]) == pytest.approx(
            float(expected[term]), rel=1e-4, abs=1e-6
        )
