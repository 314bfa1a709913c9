"""DC3 on Mice Bone: collagen fibers in slices of bone, three annotations each.

    python examples/mice_bone.py --data_dir data

The folder holds `MiceBone` of DCIC or `miceBone` of DC3, or they are fetched from their
record; `keras_dc3.datasets.published` says more. The settings are those of the paper
and its authors' code, with batches of 8 images: a GPU wants most of a day.
"""

import paper
from absl import app

main = paper.example("mice_bone", "Mice Bone", steps=32_768, batch_size=8, filters=8)

if __name__ == "__main__":
    app.run(main)
