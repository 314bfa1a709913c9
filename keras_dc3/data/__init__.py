"""Images with annotation counts, and the batches to train on.

Importing this needs NumPy and Keras only.
"""

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.decoding import ImageFormat, read_image
from keras_dc3.data.feature_set import FeatureSet
from keras_dc3.data.feature_views import FeatureNoise, StoredViews
from keras_dc3.data.image_files import FileImages
from keras_dc3.data.image_folder import FolderListing, list_images
from keras_dc3.data.image_set import ImageSet, ReadableImages
from keras_dc3.data.opened_images import MAX_PIXELS, ImageFileError
from keras_dc3.data.policies import Custom, NoAugmentation, Strong, Weak, get_policy
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import Split, split
from keras_dc3.data.stored_values import ValueRange

__all__ = [
    "MAX_PIXELS",
    "AnnotatedImages",
    "Custom",
    "FeatureNoise",
    "FeatureSet",
    "FileImages",
    "FolderListing",
    "ImageFileError",
    "ImageFormat",
    "ImageSet",
    "NoAugmentation",
    "ReadableImages",
    "SemiSupervisedData",
    "Split",
    "StoredViews",
    "Strong",
    "ValueRange",
    "Weak",
    "get_policy",
    "list_images",
    "read_image",
    "split",
]
