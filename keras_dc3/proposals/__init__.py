"""Proposals: what a model suggests to the people who label. NumPy only."""

from keras_dc3.proposals.data import Proposal
from keras_dc3.proposals.groups import ProposalGroup
from keras_dc3.proposals.proposals import Proposals
from keras_dc3.proposals.questions import Question, Questions

__all__ = ["Proposal", "ProposalGroup", "Proposals", "Question", "Questions"]
