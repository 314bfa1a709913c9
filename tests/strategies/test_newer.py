"""UDA, FlexMatch, FreeMatch, SoftMatch and MixMatch against NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3 import strategies
from keras_dc3.strategies import UDA, Batch, FlexMatch, FreeMatch, MixMatch, SoftMatch
from keras_dc3.testing import gradients

K, N, M = 4, 9, 5
SHARED = {"unlabeled_ratio": 3, "weight": 2.0, "ramp_steps": 5}


def softmax(logits, temperature=1.0):
    scaled = np.float64(logits) / temperature
    exponents = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def cross_entropies(labels, logits):
    return -np.log(softmax(logits)[np.arange(len(labels)), labels])


def random_logits(rng, scale=3.0, n=N, views=("weak", "strong")):
    logits = {view: rng.normal(0, scale, (n, K)).astype("float32") for view in views}
    return {"labeled": rng.normal(0, scale, (M, K)).astype("float32"), **logits}


def batch_of(logits, targets=None, step=0, positions=None):
    targets = {"labeled": np.eye(K)[np.arange(M) % K], **(targets or {})}
    return Batch(
        {view: ops.convert_to_tensor(value) for view, value in logits.items()},
        {view: ops.convert_to_tensor(v, "float32") for view, v in targets.items()},
        ops.convert_to_tensor(step, "int32"),
        None if positions is None else ops.convert_to_tensor(positions, "int32"),
    )


def numbers(*tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def take_step(strategy, *args, **kwargs):
    """Updates the state and returns what the strategy says, as in a training step."""
    batch = batch_of(*args, **kwargs)
    strategy.update(batch)
    return numbers(*strategy.losses(batch))


def prepared(strategy, num_unlabeled=None):
    strategy.prepare(K, num_unlabeled)
    return strategy


def close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=tolerance)


# UDA ----------------------------------------------------------------------------------


def test_uda(rng):
    logits = random_logits(rng)
    labeled, losses, mask = take_step(prepared(UDA()), logits)
    p, q = softmax(logits["weak"], 0.4), softmax(logits["strong"])
    close(losses, (p * (np.log(p) - np.log(q))).sum(axis=-1))
    assert (mask == (softmax(logits["weak"]).max(axis=-1) >= 0.8)).all()
    assert 0 < mask.sum() < N
    close(labeled, cross_entropies(np.arange(M) % K, logits["labeled"]))


@pytest.mark.parametrize(
    ("tsa", "h"),
    [
        ("linear", lambda t: t),
        ("log", lambda t: 1 - np.exp(-5 * t)),
        ("exp", lambda t: np.exp(5 * (t - 1))),
    ],
)
def test_signal_annealing(tsa, h, rng):
    """The labeled loss is the mean over those below the limit, as the authors' is."""
    strategy = prepared(UDA(tsa=tsa, training_steps=1000))
    counted = set()
    for step in (0, 250, 500, 900, 1000, 2000):
        logits = random_logits(rng, scale=1.5)
        labels = np.arange(M) % K
        labeled, *_ = take_step(strategy, logits, step=step)
        own = softmax(logits["labeled"])[np.arange(M), labels]
        keep = own <= h(min(step / 1000, 1)) * (1 - 1 / K) + 1 / K
        losses = cross_entropies(labels, logits["labeled"]) * keep
        close(labeled.mean(), losses.sum() / max(keep.sum(), 1))
        assert ((labeled > 0) == keep).all()
        counted.add(int(keep.sum()))
    assert len(counted) > 2


def test_signal_annealing_follows_the_length_of_training():
    assert strategies.get("uda", training_steps=700).training_steps == 700
    assert strategies.get(UDA(tsa="exp"), training_steps=700).training_steps == 16_384


# FlexMatch ----------------------------------------------------------------------------


def flexmatch_mask(p, shares_of_classes, share_of_none, threshold):
    b = shares_of_classes / max(shares_of_classes.max(), share_of_none)
    chosen = b[p.argmax(axis=-1)]
    return p.max(axis=-1) >= threshold * chosen / (2 - chosen)


def test_flexmatch_counts_the_last_prediction_of_every_image(rng):
    images, threshold = 40, 0.8
    strategy = prepared(FlexMatch(threshold=threshold), num_unlabeled=images)
    last = {}
    rates = []
    for _ in range(30):
        positions = rng.permutation(images)[:N]
        # Class 0 is learned best, so that the classes' thresholds differ.
        logits = random_logits(rng)
        logits["weak"][:, 0] += 1.5
        counts = np.bincount(list(last.values()), minlength=K) / images
        p = softmax(logits["weak"])
        expected = flexmatch_mask(p, counts, 1 - len(last) / images, threshold)
        _, losses, mask = take_step(strategy, logits, positions=positions)
        assert (mask == expected).all()
        close(losses, cross_entropies(p.argmax(axis=-1), logits["strong"]))
        for position, row in zip(positions, p, strict=True):
            if row.max() >= threshold:
                last[position] = row.argmax()
        rates.append(mask.mean())
    predicted = numbers(strategy.predicted)[0][:-1]
    assert predicted.tolist() == [last.get(i, K) for i in range(images)]
    assert rates[0] == 1.0 and min(rates) < 1.0  # the warm-up ends


def test_flexmatch_without_positions_estimates(rng):
    strategy = prepared(FlexMatch(threshold=0.8))
    shares = np.eye(K + 1)[K]
    for _ in range(8):
        logits = random_logits(rng)
        p = softmax(logits["weak"])
        expected = flexmatch_mask(p, shares[:K], shares[K], 0.8)
        _, _, mask = take_step(strategy, logits)
        assert (mask == expected).all()
        seen = np.where(p.max(axis=-1) >= 0.8, p.argmax(axis=-1), K)
        shares = 0.99 * shares + 0.01 * np.bincount(seen, minlength=K + 1) / N
    close(numbers(strategy.shares)[0], shares)


def test_flexmatch_asks_for_positions_that_it_counts_by(rng):
    strategy = prepared(FlexMatch(), num_unlabeled=20)
    with pytest.raises(ValueError, match=r"knows 20 unlabeled images .* no \"posit"):
        strategy.update(batch_of(random_logits(rng)))


def test_state_of_another_size_is_made_anew():
    strategy = FlexMatch()
    assert not strategy.prepare(K, 20) and not strategy.prepare(K, 20)
    strategy.predicted.assign(np.zeros(21))
    assert not strategy.prepare(K, 20)
    assert numbers(strategy.predicted)[0].sum() == 0
    assert strategy.prepare(K, 30)
    assert numbers(strategy.predicted)[0].tolist() == [K] * 31
    assert len(strategy.variables) == 3


# FreeMatch ----------------------------------------------------------------------------


class FreeMatchByHand:
    def __init__(self, momentum):
        self.m = momentum
        self.tau, self.p, self.h = 1 / K, np.ones(K) / K, np.ones(K) / K

    def update(self, weak):
        p = softmax(weak)
        self.tau = self.m * self.tau + (1 - self.m) * p.max(axis=-1).mean()
        self.p = self.m * self.p + (1 - self.m) * p.mean(axis=0)
        counts = np.bincount(p.argmax(axis=-1), minlength=K)
        self.h = self.m * self.h + (1 - self.m) * counts / len(p)
        limits = self.tau * self.p[p.argmax(axis=-1)] / self.p.max()
        return p.max(axis=-1) >= limits

    def loss(self, weak, strong, mask, fairness_weight):
        """The whole unlabeled loss of a batch, a scalar."""
        losses = cross_entropies(softmax(weak).argmax(axis=-1), strong)
        total = (losses * mask).sum() / len(mask)
        if not mask.any():
            return total
        q = softmax(strong)[mask]
        counts = np.bincount(q.argmax(axis=-1), minlength=K) / len(q)
        a = np.divide(self.p, self.h, where=self.h > 0, out=np.zeros(K))
        b = np.divide(q.mean(axis=0), counts, where=counts > 0, out=np.zeros(K))
        fairness = (a / a.sum() * np.log(b / b.sum() + 1e-12)).sum()
        return total + fairness_weight * fairness


@pytest.mark.parametrize("fairness_weight", [0.01, 0.5])
def test_freematch(fairness_weight, rng):
    strategy = prepared(FreeMatch(momentum=0.9, fairness_weight=fairness_weight))
    by_hand = FreeMatchByHand(0.9)
    rates = set()
    for _ in range(8):
        logits = random_logits(rng, scale=2.0)
        mask = by_hand.update(logits["weak"])
        _, losses, found = take_step(strategy, logits)
        assert (found == mask).all()
        expected = by_hand.loss(logits["weak"], logits["strong"], mask, fairness_weight)
        close((found * losses).mean(), expected)
        rates.add(mask.mean())
    assert len(rates) > 1
    close(numbers(strategy.confidence)[0], by_hand.tau)
    close(numbers(strategy.histogram)[0], by_hand.h)


def test_gradient_of_the_fairness(rng):
    """That of the paper's scalar, by differences, although it is spread on images."""
    strategy, by_hand = prepared(FreeMatch(0.1, 0.5)), FreeMatchByHand(0.1)
    logits = random_logits(rng, scale=1.5)
    logits["weak"][:3] = 0.0  # these do not pass
    mask = by_hand.update(logits["weak"])
    assert 0 < mask.sum() < N
    strategy.update(batch_of(logits))
    found = gradients(
        lambda x: ops.mean(strategy.mask(x) * strategy.unlabeled_loss(x)), logits
    )
    expected = np.zeros((N, K))
    for at in np.ndindex(N, K):
        values = []
        for change in (1e-5, -1e-5):
            strong = np.float64(logits["strong"])
            strong[at] += change
            values.append(by_hand.loss(logits["weak"], strong, mask, 0.5))
        expected[at] = (values[0] - values[1]) / 2e-5
    close(found["strong"], expected)
    assert not found["weak"].any()


def test_freematch_where_nothing_passes():
    strategy = prepared(FreeMatch())
    strategy.confidence.assign(1.0)
    logits = {view: np.zeros((N, K), "float32") for view in ("weak", "strong")}
    logits["labeled"] = np.zeros((M, K), "float32")
    _, losses, mask = take_step(strategy, logits)
    assert mask.sum() == 0
    close(losses, np.log(K))


# SoftMatch ----------------------------------------------------------------------------


def test_softmatch(rng):
    m = 0.6
    strategy = prepared(SoftMatch(momentum=m))
    mean, variance, prediction = 1 / K, 1.0, None
    for _ in range(6):
        logits = random_logits(rng)
        logits["weak"][:, 1] += 2.0  # so that alignment changes something
        p = softmax(logits["weak"])
        new = p.mean(axis=0)
        prediction = new if prediction is None else m * prediction + (1 - m) * new
        q = p * (1 / K + 1e-6) / (prediction + 1e-6)
        confidence = (q / q.sum(axis=-1, keepdims=True)).max(axis=-1)
        mean = m * mean + (1 - m) * confidence.mean()
        variance = m * variance + (1 - m) * confidence.var(ddof=1)
        below = np.minimum(confidence - mean, 0)
        weight = np.exp(-(below**2) / (2 * variance / 2**2))
        expected = weight * cross_entropies(p.argmax(axis=-1), logits["strong"])
        _, losses, mask = take_step(strategy, logits)
        close(losses, expected)
        assert (mask == 1).all()
    assert weight.min() < 0.99 and weight.max() == 1.0


def test_softmatch_of_a_single_image(rng):
    strategy = prepared(SoftMatch(momentum=0.5))
    for _ in range(3):
        *_, losses, _ = take_step(strategy, random_logits(rng, n=1))
        assert np.isfinite(losses).all()
    close(numbers(strategy.variance)[0], 0.125)


# MixMatch -----------------------------------------------------------------------------

ROWS = {"labeled": M, "first": N, "second": N}


def test_mixmatch_guesses_and_mixes(rng):
    strategy = MixMatch()
    logits = random_logits(rng, views=("first", "second"))
    p = (softmax(logits["first"]) + softmax(logits["second"])) / 2
    q = p**2 / (p**2).sum(axis=-1, keepdims=True)
    guessed = strategy.guess(batch_of(logits).logits)
    for view in ("first", "second"):
        close(numbers(guessed[view])[0], q)
    mixing = strategy.draw_mixing(ROWS)
    partner, share = numbers(mixing["partner"], mixing["share"])
    assert sorted(partner) == list(range(M + 2 * N))
    assert share.shape == partner.shape and (share >= 0.5).all() and (share <= 1).all()
    for shape in ((3, 2, 1), (6,), (K,)):  # images, features, distributions
        parts = {name: rng.random((n, *shape)) for name, n in ROWS.items()}
        given = {n: ops.convert_to_tensor(v, "float32") for n, v in parts.items()}
        mixed = strategy.mix(given, mixing)
        pool = np.concatenate(list(parts.values()))
        weights = share.reshape(-1, *[1] * len(shape))
        found = [mixed[view] for view in ("mixed", "mixed_first", "mixed_second")]
        expected = weights * pool + (1 - weights) * pool[partner]
        close(np.concatenate(numbers(*found)), expected)


def test_shares_are_drawn_from_the_beta_distribution():
    strategy = MixMatch(alpha=0.75)
    share = numbers(strategy.draw_mixing({"labeled": 20_000})["share"])[0]
    draws = np.random.default_rng(0).beta(0.75, 0.75, 20_000)
    draws = np.maximum(draws, 1 - draws)
    quantiles = np.linspace(0.05, 0.95, 10)
    close(np.quantile(share, quantiles), np.quantile(draws, quantiles), 0.015)


def test_mixmatch_losses(rng):
    views = ("first", "second", "mixed_first", "mixed_second")
    logits = random_logits(rng, views=views)
    logits["mixed"] = rng.normal(0, 3, (M, K)).astype("float32")
    targets = {
        "mixed": rng.dirichlet(np.ones(K), M),
        "mixed_first": rng.dirichlet(np.ones(K), N),
        "mixed_second": rng.dirichlet(np.ones(K), N),
    }
    labeled, losses, mask = take_step(MixMatch(), logits, targets)
    expected = -(targets["mixed"] * np.log(softmax(logits["mixed"]))).sum(axis=-1)
    close(labeled, expected)
    squares = [(softmax(logits[v]) - targets[v]) ** 2 for v in views[2:]]
    # The mean over all rows of both views, as in the authors' code.
    close(losses.mean(), np.concatenate(squares).mean())
    close(losses, (squares[0].mean(axis=-1) + squares[1].mean(axis=-1)) / 2)
    assert (mask == 1).all()


def test_guesses_of_certain_images_are_finite():
    logits = {
        v: np.array([[200.0, -200, 0, 0]], "float32") for v in ("first", "second")
    }
    guessed = MixMatch().guess({v: ops.convert_to_tensor(x) for v, x in logits.items()})
    close(numbers(guessed["first"])[0], [[1, 0, 0, 0]])


# All of them --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UDA(threshold=1.1), "`threshold` must be a number in"),
        (lambda: UDA(temperature=0), "`temperature` must be"),
        (lambda: UDA(tsa="cubic"), "`tsa` must be one of"),
        (lambda: UDA(training_steps=0), "`training_steps` must be an integer"),
        (lambda: FlexMatch(threshold="high"), "`threshold` must be a number in"),
        (lambda: FlexMatch(num_unlabeled=0), "`num_unlabeled` must be an integer"),
        (lambda: FreeMatch(momentum=1.5), "`momentum` must be a number in"),
        (lambda: FreeMatch(fairness_weight=-1), "`fairness_weight` must be"),
        (lambda: SoftMatch(num_sigma=0), "`num_sigma` must be"),
        (lambda: SoftMatch(unlabeled_ratio=0), "`unlabeled_ratio` must be an integer"),
        (lambda: MixMatch(alpha=0), "`alpha` must be"),
        (lambda: MixMatch(temperature=float("nan")), "`temperature` must be"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("cls", [UDA, FlexMatch, FreeMatch, SoftMatch])
def test_only_the_strong_view_is_taught(cls, rng):
    logits = random_logits(rng)
    strategy = prepared(cls(), 20 if cls is FlexMatch else None)
    strategy.update(batch_of(logits, positions=np.arange(N)))
    found = gradients(lambda x: ops.sum(strategy.unlabeled_loss(x)), logits)
    assert found["strong"].any() and not found["weak"].any()


def test_configs_come_back():
    given = [
        UDA(0.7, 0.5, "log", 99, **SHARED),
        FlexMatch(0.8, 77, **SHARED),
        FreeMatch(0.9, 0.1, **SHARED),
        SoftMatch(0.9, 3.0, **SHARED),
        MixMatch(0.6, 0.5, 20.0, 5),
    ]
    for strategy in given:
        again = strategies.get(keras.saving.serialize_keras_object(strategy))
        assert type(again) is type(strategy)
        assert again.get_config() == strategy.get_config()
        assert (again.weight, again.ramp_steps) == (strategy.weight, 5)
