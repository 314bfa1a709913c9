"""Class probabilities of any model as proposals. See `Proposals.from_predictions`."""
