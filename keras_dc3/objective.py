"""The DC3 objective (eq. 1): heads' outputs in, its terms and ranking out."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from keras_dc3.collective import Collective, current
from keras_dc3.config import DC3Config
from keras_dc3.layers import class_uncertainty
from keras_dc3.losses import (
    batch_rank_targets,
    binary_cross_entropy_with_logits,
    cluster_consistency,
    partnered_inverse_cross_entropy,
)
from keras_dc3.losses.ties import likeliest_classes

Outputs = dict[str, Any]


class ObjectiveTerms(NamedTuple):
    """The terms of eq. 1, float32 scalars. Their sum is the loss."""

    supervised: Any
    ssl: Any
    inverse: Any
    ambiguity: Any
    consistency: Any


TERMS = ObjectiveTerms._fields


class ObjectiveResult(NamedTuple):
    """What `DC3Objective` makes of a batch.

    Attributes:
        terms: the `ObjectiveTerms`. Each is this replica's share: its sum over the
            replicas is the value.
        ranking: the targets of L_A, see `DC3Objective.rank`.
    """

    terms: ObjectiveTerms
    ranking: Any


class DC3Objective:
    """Combines a strategy's losses with those of DC3. It keeps no state.

        supervised   mean over labeled   of  loss (1 - p_a)*
        ssl          mean over unlabeled of  loss (1 - p_a)*
        inverse      w_inv (mean over unlabeled of CE^-1 (1 - p_a)
                            + mean over labeled of CE^-1 (1 - p_a)*)
        ambiguity    w_a   mean over unlabeled of BCE(p_a, batch rank)**
        consistency  w_s   mean over unlabeled of CE(p_o, p_o') p_a

    * where the config says so. ** where the network orders images on each side of the
    threshold by another output, plus BCE(order, batch rank). Every mean is over the
    global batch. Terms of weight 0 are multiplied by 0, not skipped, so that every
    method runs the same code. For CE^-1 a labeled image is of the class with the
    largest share of its soft label; where several tie, of that of them which the
    network predicts to be likeliest.

    Args:
        config: the weights and choices.
        collective: the replicas of the global batch; None: those of the strategy scope
            that it is made in.
        seed: a `keras.random.SeedGenerator`; drawn from with `partner="random"` only.

    Example:

    >>> from keras import ops
    >>> outputs = {
    ...     "class_logits": ops.zeros((4, 2)),
    ...     "cluster_logits": ops.zeros((4, 6)),
    ...     "ambiguity_logits": ops.zeros(4),
    ... }
    >>> objective = keras_dc3.DC3Objective(keras_dc3.DC3Config(prior=0.5))
    >>> result = objective(
    ...     targets=ops.ones((4, 2)) / 2,
    ...     labeled=outputs,
    ...     anchor=outputs,
    ...     partner=None,
    ...     labeled_loss=ops.ones(4),
    ...     ssl_loss=ops.zeros(4),
    ... )
    >>> float(result.terms.supervised), ops.convert_to_numpy(result.ranking).tolist()
    (1.0, [1.0, 1.0, 0.0, 0.0])
    """

    def __init__(
        self,
        config: DC3Config,
        collective: Collective | None = None,
        seed: Any = None,
    ):
        self.config = config
        self.collective = current() if collective is None else collective
        self.seed = seed

    def __call__(
        self,
        targets: Any,
        labeled: Outputs,
        anchor: Outputs,
        partner: Outputs | None,
        labeled_loss: Any,
        ssl_loss: Any,
        sample_weight: Any = None,
    ) -> ObjectiveResult:
        """Computes the terms of the objective.

        Args:
            targets: class distributions of the labeled images, (m, k).
            labeled: the network's outputs for the labeled images: `class_logits`
                (m, k), `cluster_logits` (m, k'), `ambiguity_logits` (m,), and perhaps
                `order_logits` (m,), float32.
            anchor: the same for the unlabeled images' anchor view, n images.
            partner: the same for their partner view, or None.
            labeled_loss: the strategy's loss per labeled image, (m,).
            ssl_loss: the strategy's loss per unlabeled image, weighted, (n,).
            sample_weight: weights of the labeled images, (m,), or None.
        """
        config, mean = self.config, self.collective.mean
        ambiguity = self._scaling(anchor)
        certainty = 1.0 - ambiguity
        if config.scale_labeled:
            labeled_certainty = 1.0 - self._scaling(labeled)
        else:
            labeled_certainty = ops.ones_like(labeled["ambiguity_logits"])
        inverse_labeled, inverse_unlabeled = self._inverse(targets, labeled, anchor)
        ranking = self.rank(anchor, partner)
        ambiguity_loss = binary_cross_entropy_with_logits(
            ranking, anchor["ambiguity_logits"]
        )
        if "order_logits" in anchor:
            ambiguity_loss = ambiguity_loss + binary_cross_entropy_with_logits(
                ranking, anchor["order_logits"]
            )
        terms = ObjectiveTerms(
            supervised=mean(labeled_loss * labeled_certainty, sample_weight),
            ssl=mean(ssl_loss * certainty if config.scale_ssl else ssl_loss),
            inverse=config.inverse_weight
            * (
                mean(inverse_unlabeled * certainty)
                + mean(inverse_labeled * labeled_certainty)
            ),
            ambiguity=config.ambiguity_weight * mean(ambiguity_loss),
            consistency=config.consistency_weight
            * mean(self._consistency(anchor, partner) * ambiguity),
        )
        return ObjectiveResult(terms, ranking)

    def rank(self, anchor: Outputs, partner: Outputs | None) -> Any:
        """Returns the targets of L_A: 1 for images ranked ambiguous, else 0, (n,)."""
        logits = anchor["ambiguity_logits"]
        if self.config.rank_by == "ambiguity":
            scores = logits  # as p_a, but without ties where the sigmoid saturates
        else:
            views = [anchor] if partner is None else [anchor, partner]
            probabilities = sum(
                ops.softmax(view["class_logits"], axis=-1) for view in views
            )
            scores = class_uncertainty(probabilities / len(views))[:, 0]
        scores = self.collective.gather(ops.stop_gradient(scores))
        targets = batch_rank_targets(scores, self.config.prior)
        return self.collective.local(targets, logits)

    def _scaling(self, outputs: Outputs) -> Any:
        """Returns p_a where it scales other terms, (n,)."""
        ambiguity = ops.sigmoid(outputs["ambiguity_logits"])
        if not self.config.predicts_ambiguity:
            return ambiguity * 0.0
        if self.config.stop_ambiguity_gradient:
            return ops.stop_gradient(ambiguity)
        return ambiguity

    def _inverse(self, targets: Any, labeled: Outputs, anchor: Outputs) -> Any:
        """Returns CE^-1 of the labeled (m,) and of the unlabeled images (n,)."""
        config, gather = self.config, self.collective.gather
        of_labeled, predicted = (
            ops.stop_gradient(ops.softmax(outputs["class_logits"], axis=-1))
            for outputs in (labeled, anchor)
        )
        classes = [
            likeliest_classes(targets, of_labeled),
            ops.argmax(predicted, axis=-1),
        ]
        clusters = [
            ops.softmax(outputs["cluster_logits"], axis=-1)
            for outputs in (labeled, anchor)
        ]
        pool_classes = [gather(ops.cast(part, "int32")) for part in classes]
        pool_clusters = [gather(part) for part in clusters]
        if config.inverse_pool == "batch":
            pool_classes = [ops.concatenate(pool_classes, axis=0)] * 2
            pool_clusters = [ops.concatenate(pool_clusters, axis=0)] * 2
        losses = [
            partnered_inverse_cross_entropy(
                clusters[part],
                ops.cast(classes[part], "int32"),
                pool_clusters[part],
                pool_classes[part],
                partner=config.partner,
                seed=self.seed,
                num_classes=targets.shape[-1],
            )
            for part in (0, 1)
        ]
        confident = ops.max(predicted, axis=-1) >= config.inverse_mask
        return losses[0], losses[1] * ops.cast(confident, losses[1].dtype)

    def _consistency(self, anchor: Outputs, partner: Outputs | None) -> Any:
        """Returns L_S of the unlabeled images, (n,); 0 without a second view."""
        if partner is None:
            return ops.zeros_like(anchor["ambiguity_logits"])
        target, other = partner, anchor
        if self.config.consistency_target == "anchor":
            target, other = anchor, partner
        distribution = ops.softmax(target["cluster_logits"], axis=-1)
        if self.config.stop_consistency_target:
            distribution = ops.stop_gradient(distribution)
        return cluster_consistency(
            distribution, other["cluster_logits"], from_logits=True
        )
