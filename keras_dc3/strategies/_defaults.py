"""Figures of the authors' training that several strategies share."""

# 1,024 * 1,024 labeled images in batches of 64.
REFERENCE_STEPS = 16_384
# The consistency weight reaches its full size after 40% of the training.
RAMP_FRACTION = 0.4
RAMP_STEPS = round(RAMP_FRACTION * REFERENCE_STEPS)
