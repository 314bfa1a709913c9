"""What the paper reports, to stand beside what we measure."""

# Table 2 of the paper, CIFAR-10H: F1, d in percent, the best of three runs.
PAPER_TABLE_2 = {
    ("supervised", "vanilla"): (67.71, 55.80),
    ("supervised", "dc3"): (78.27, 54.52),
    ("mean_teacher", "vanilla"): (73.53, 46.93),
    ("mean_teacher", "dc3"): (85.13, 52.44),
    ("pi_model", "vanilla"): (71.53, 49.13),
    ("pi_model", "dc3"): (83.05, 43.40),
    ("pseudo_label", "vanilla"): (69.70, 53.30),
    ("pseudo_label", "dc3"): (83.74, 51.32),
    ("fixmatch", "vanilla"): (78.09, 41.99),
    ("fixmatch", "dc3"): (83.09, 49.49),
}
# Table 4 of the paper, CIFAR-10H, mean over all methods: F1, d, d - F1 in percent.
PAPER_TABLE_4 = {
    "vanilla": (71.53, 50.27, -21.26),
    "ce_inverse": (71.91, 49.29, -22.62),
    "cc": (74.71, 87.68, 12.97),
    "measured_prior": (69.70, 36.84, -32.86),
    "dc3": (74.57, 47.41, -27.16),
}
