"""DC3 on STL-10: 5,000 labeled and 100,000 unlabeled images, one label each.

    python examples/stl10.py --data_dir data

TensorFlow Datasets downloads the images (2.6 GB), and the folder keeps them in a form
that is read while training (3.1 GB). One label per image does not tell how much people
differ, so that F1 is reported alone. The settings are those of the authors' code: a GPU
wants a few hours.
"""

import paper
from absl import app

main = paper.example("stl10", "STL-10")

if __name__ == "__main__":
    app.run(main)
