"""Fashion-MNIST-H: the Fashion-MNIST test images as about 66 people each see them.

10,000 images 28x28x1 (Ishida et al., 2023). People disagree with the shop's label for
18% of them, mostly coats and shirts. Ids are `fashionmnist_test_00042`, the position in
the test set.

`fashionmnist_h.npz` holds `images` uint8 (10000, 28, 28, 1), `labels` int (10000,) and
`counts` int (10000, 10), in the test set's order. By default 1,600 images are labeled,
6,400 unlabeled and 2,000 validate.
"""

from __future__ import annotations

from keras_dc3.datasets.counted import CountedSet

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FASHIONMNIST_H = CountedSet(
    name="fashionmnist_h",
    subject="Fashion-MNIST-H is",
    homepage="https://github.com/takashiishida/irreducible",
    prefix="fashionmnist_test",
    number=10_000,
    image_shape=(28, 28, 1),
    class_names=CLASS_NAMES,
    least_agreement=0.7,  # 82% agree; in another order 10% do by chance
)
