"""Every choice of the DC3 objective, as one frozen object."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras_dc3._registration import register
from keras_dc3._validation import (
    check_choice,
    check_not_negative,
    check_probability,
)

AMBIGUITY_INPUTS = ("features", "features+uncertainty", "confidence")
# What the paper and its authors' code have in common, other than our defaults.
_IN_PRINT_AND_CODE = {
    "ambiguity_weight": 0.1,
    "rank_by": "ambiguity",
    "ambiguity_inputs": "features",
    "cluster_head": "linear",
    "stop_ambiguity_features": False,
    "scale_ssl": True,
    "partner": "random",
    "consistency_target": "anchor",
    "stop_consistency_target": False,
}


@register
@dataclasses.dataclass(frozen=True)
class DC3Config:
    """The weights and choices of the DC3 objective (eq. 1 of Schmarje et al., 2022).

        L = L_SSL (1 - p_a) + w_inv L_inv (1 - p_a) + w_a L_A + w_s L_S p_a

    Each field on which the paper and its authors' code differ has a name here.
    `DC3Config.paper()` is the paper as printed, `DC3Config.reference()` the authors'
    code with its combined loss switched on, `DC3Config()` what we recommend.

    Attributes:
        inverse_weight: w_inv, weight of CE^-1 (eq. 2).
        ambiguity_weight: w_a, weight of L_A (eq. 3). 0 means that ambiguity is not
            predicted: p_a counts as 0, and every image as certain.
        consistency_weight: w_s, weight of L_S, the cross-entropy between two views'
            clusters.
        prior: p_A, the expected fraction of ambiguous images, in [0, 1].
        rank_by: what L_A ranks the images of a batch by. `"ambiguity"`: p_a itself
            (paper, reference). `"uncertainty"`: the entropy of the class prediction,
            averaged over the anchor and partner views.
        ambiguity_inputs: what the ambiguity head sees (`AmbiguityHead`). `"features"`
            (paper, reference). `"features+uncertainty"`: also the entropy and 1 - max
            of the class prediction, without gradient. `"confidence"`: 1 - max alone
            decides on which side of the threshold an image is, so that the certain
            images are those of the most confident classes; features and uncertainty
            order the images on each side, or, where labeled images have several
            answers that tell it, the chance that people disagree
            (`DisagreementHead`).
        cluster_head: what p_o comes from. `"linear"` (paper, reference): the layer that
            CE^-1 and L_S train. `"prototypes"`: a k-means in the network (see
            `PrototypeHead`) that follows the images L_A ranks as ambiguous, or all
            where ambiguity is not predicted; CE^-1 and L_S then train a linear layer
            beside it, and with it the features.
        stop_ambiguity_features: no gradient of L_A reaches the backbone.
        stop_ambiguity_gradient: no gradient flows through p_a where it scales other
            terms (reference); False is eq. 1 as printed.
        scale_ssl: the strategy's unlabeled loss is scaled by 1 - p_a (paper,
            reference).
        scale_labeled: the labeled images' cross-entropy and CE^-1 are scaled by their
            own 1 - p_a (paper as printed).
        partner: how CE^-1 takes its partner images. `"mean"`: the mean over all
            images of the pool with another class. `"random"`: one of them, drawn
            uniformly (paper, reference).
        inverse_pool: where the partners come from. `"batch"`: the labeled and
            unlabeled images of the batch together (paper). `"part"`: labeled images
            for labeled anchors, unlabeled for unlabeled ones (reference).
        inverse_mask: least confidence max p_n of an unlabeled CE^-1 anchor; 0 takes
            all (paper), 0.95 is the reference's.
        consistency_target: which view's clusters are the target distribution of L_S,
            `"partner"` (the detached, weak or teacher view) or `"anchor"`
            (reference: its gradient then flows through the target).
        stop_consistency_target: no gradient flows through the target of L_S.

    Example:

    >>> config = keras_dc3.DC3Config(prior=0.3, cluster_head="linear")
    >>> config.prior, keras_dc3.DC3Config.paper().partner
    (0.3, 'random')
    """

    inverse_weight: float = 10.0
    ambiguity_weight: float = 1.0
    consistency_weight: float = 0.1
    prior: float = 0.6
    rank_by: str = "uncertainty"
    ambiguity_inputs: str = "confidence"
    cluster_head: str = "prototypes"
    stop_ambiguity_features: bool = True
    stop_ambiguity_gradient: bool = True
    scale_ssl: bool = False
    scale_labeled: bool = False
    partner: str = "mean"
    inverse_pool: str = "batch"
    inverse_mask: float = 0.0
    consistency_target: str = "partner"
    stop_consistency_target: bool = True

    def __post_init__(self) -> None:
        for name in ("inverse_weight", "ambiguity_weight", "consistency_weight"):
            check_not_negative(name, getattr(self, name))
        check_probability("prior", self.prior)
        check_probability("inverse_mask", self.inverse_mask)
        check_choice("rank_by", self.rank_by, ("ambiguity", "uncertainty"))
        check_choice(
            "ambiguity_inputs",
            self.ambiguity_inputs,
            AMBIGUITY_INPUTS,
        )
        check_choice("cluster_head", self.cluster_head, ("linear", "prototypes"))
        check_choice("partner", self.partner, ("mean", "random"))
        check_choice("inverse_pool", self.inverse_pool, ("batch", "part"))
        check_choice(
            "consistency_target", self.consistency_target, ("partner", "anchor")
        )
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "bool" and not isinstance(value, bool | np.bool_):
                raise ValueError(
                    f"`{field.name}` must be True or False. "
                    f"Received: {field.name}={value!r}"
                )
            # Plain values, of one type each, so that any config can be saved.
            plain = {"bool": bool, "float": float, "str": str}[field.type]
            object.__setattr__(self, field.name, plain(value))

    @property
    def predicts_ambiguity(self) -> bool:
        """Whether p_a is trained; otherwise every image counts as certain."""
        return self.ambiguity_weight > 0

    @classmethod
    def paper(cls, **changes: Any) -> DC3Config:
        """Returns the objective as the paper prints it (eq. 1 to 3, section 3.3).

        One exception: eq. 3 as printed would mark the *smallest* p_a as ambiguous;
        the paper's text and code mean the largest, and so do we.
        """
        fields = {
            **_IN_PRINT_AND_CODE,
            "stop_ambiguity_gradient": False,
            "scale_labeled": True,
        }
        return cls(**{**fields, **changes})

    @classmethod
    def reference(cls, **changes: Any) -> DC3Config:
        """Returns the objective of the authors' code, its combined loss switched on.

        Their labeled anchors take the *rows of the unlabeled images* by the indices of
        labeled ones, plainly a slip; here they take labeled partners.
        """
        fields = {**_IN_PRINT_AND_CODE, "inverse_pool": "part", "inverse_mask": 0.95}
        return cls(**{**fields, **changes})

    @classmethod
    def vanilla(cls, **changes: Any) -> DC3Config:
        """Returns the strategy alone: every DC3 term is multiplied by zero."""
        return cls.ce_inverse_only(**{"inverse_weight": 0.0, **changes})

    @classmethod
    def ce_inverse_only(cls, **changes: Any) -> DC3Config:
        """Returns Table 4's "+ CE^-1": clusters are trained, ambiguity is not."""
        fields = {
            "ambiguity_weight": 0.0,
            "consistency_weight": 0.0,
            "cluster_head": "linear",
            "scale_ssl": False,
            "scale_labeled": False,
        }
        return cls(**{**fields, **changes})

    @classmethod
    def cc_only(cls, **changes: Any) -> DC3Config:
        """Returns Table 4's "+ CC": everything but CE^-1."""
        return cls(**{"inverse_weight": 0.0, **changes})

    def get_config(self) -> dict[str, Any]:
        """Returns the fields as a dict of plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DC3Config:
        """Returns the config with these fields."""
        return cls(**config)
