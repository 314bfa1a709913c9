"""DC3 on Plankton: 12,280 underwater images with about 24 answers each.

    python examples/plankton.py --data_dir data

The folder holds `Plankton` of DCIC or `plankton` of DC3, or they are fetched from their
record; `keras_dc3.datasets.published` says more. The settings are those of the paper
and its authors' code: a GPU wants a few hours.
"""

import paper
from absl import app

main = paper.example("plankton", "Plankton")

if __name__ == "__main__":
    app.run(main)
