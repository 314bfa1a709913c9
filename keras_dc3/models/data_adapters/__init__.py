"""The kinds of data that `fit` and `evaluate` take, each behind the same face."""
