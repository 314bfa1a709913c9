"""DC3 on Turkey: is the bird injured? 8,040 images, three experts each.

    python examples/turkey.py --data_dir data

The folder holds `Turkey` of DCIC (three classes) or `turkey` of DC3 (two), or they are
fetched from their record; `keras_dc3.datasets.published` says more. The settings are
those of the paper and its authors' code: a GPU wants a few hours.
"""

import paper
from absl import app

main = paper.example("turkey", "Turkey")

if __name__ == "__main__":
    app.run(main)
