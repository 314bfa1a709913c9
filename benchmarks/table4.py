"""The paper's Table 4: what each part of DC3 contributes.

    python benchmarks/table4.py --dataset cifar10h --data_dir data --processes 2 \
        --threads 1

Trains {mean_teacher, pi_model} x {vanilla, + CE^-1, + CC, DC3 with the measured p_A,
DC3 with p_A = 0.6, the same with linear clusters, DC3 as printed} x {seed}, one process
per cell. It can be stopped at any time and run again: finished cells are kept, also
those of Table 2. `benchmarks/report.py` draws the tables.
"""

import tables
from absl import app

tables.define_flags(
    ("mean_teacher", "pi_model"),
    ("vanilla", "ce_inverse", "cc", "measured_prior", "dc3", "linear", "paper"),
)


def main(argv: list[str]) -> None:
    """Trains the cells and prints the summary."""
    del argv
    tables.run()


if __name__ == "__main__":
    app.run(main)
