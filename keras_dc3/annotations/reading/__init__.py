"""Readers of annotations: each gives the answers that it finds, or their counts."""
