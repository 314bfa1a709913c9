"""Data sets of DCIC (Schmarje et al., 2022), three of which the paper uses.

* "plankton": 12,280 underwater images of 10 classes, as about 24 people each see them,
  brought to 96x96x3.
* "turkey": is the bird injured? 8,040 images, three experts each, 96x96x3. The paper
  and the layout of DC3 have two classes, the folders "0" and "1"; DCIC has three.
  `rename` makes two of them, such as `rename={"a": "injured", "b": "injured"}` with the
  names that `describe` prints.
* "mice_bone": how collagen fibers lie in slices of bone, three annotations each,
  224x224x3. DCIC has annotations for 7,240 images; the paper uses 724 of them. The
  classes are similar orientations, dissimilar ones, and regions that are not relevant;
  the folders of DC3 are "g", "ug" and "nr".
* "dcic_benthic" and others, which the paper does not use. The folds of
  "dcic_verse_blended" and "dcic_verse_mask1" have images for `dcic_slice=3` alone.

`data_dir` is the folder with the data set as DCIC has it, such as `Plankton`, with its
archive, such as `Plankton.zip`, or with the folder of DC3, such as `plankton`. By
default the shares of labeled, unlabeled and validation images are those of the paper:
for "plankton" 1,964, 7,860 and 2,456 images, for "turkey" 1,299, 5,199 and 1,542, for
"mice_bone" 38%, 38% and 23%; for others 16%, 64% and 20%. All options are those of
`PublishedSet.load` in `keras_dc3.datasets.published`.
"""

from __future__ import annotations

from keras_dc3.datasets.published import PublishedSet

# Of each our name, that in DCIC, size of the images, classes; of those of the paper the
# sizes (section 3.1) and the folders of DC3.
_SETS = (
    PublishedSet(
        "plankton",
        "Plankton",
        (96, 96),
        10,
        sizes=(1964 / 12280, 7860 / 12280, 2456 / 12280),
        folders=("plankton",),
    ),
    PublishedSet(
        "turkey",
        "Turkey",
        (96, 96),
        3,
        sizes=(1299 / 8040, 5199 / 8040, 1542 / 8040),
        folders=("turkey",),
        folder_classes=2,
    ),
    PublishedSet(
        "mice_bone",
        "MiceBone",
        (224, 224),
        3,
        sizes=(277 / 724, 278 / 724, 169 / 724),
        folders=("miceBone", "mice_bone"),
    ),
    PublishedSet("dcic_benthic", "Benthic", (112, 112), 8),
    PublishedSet("dcic_cifar10h", "CIFAR10H", (32, 32), 10),
    PublishedSet("dcic_pig", "Pig", (96, 96), 4),
    PublishedSet("dcic_quality_mri", "QualityMRI", (224, 224), 2),
    PublishedSet("dcic_synthetic", "Synthetic", (224, 224), 6),
    PublishedSet(
        "dcic_treeversity1", "Treeversity#1", (224, 224), 6, file="Treeversity1"
    ),
    PublishedSet(
        "dcic_treeversity6", "Treeversity#6", (224, 224), 6, file="Treeversity6"
    ),
    PublishedSet("dcic_verse_blended", "verse_blended-vps", (128, 128), 4),
    PublishedSet("dcic_verse_mask1", "verse_mask1-vps", (128, 128), 4),
)
DCIC_SETS = {about.name: about for about in _SETS}
