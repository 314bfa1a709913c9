"""The paper's Table 2: five strategies, alone and with DC3.

    python benchmarks/table2.py --dataset cifar10h --data_dir data --processes 2 \
        --threads 1

Trains {strategy} x {vanilla, dc3, reference} x {seed}, one process per cell. It can be
stopped at any time and run again: finished cells are kept. `benchmarks/report.py`
draws the tables. See `benchmarks/protocol.py` for what is trained.
"""

import protocol
import tables
from absl import app

tables.define_flags(protocol.STRATEGIES, ("vanilla", "dc3", "reference"))


def main(argv: list[str]) -> None:
    """Trains the cells and prints the summary."""
    del argv
    tables.run()


if __name__ == "__main__":
    app.run(main)
