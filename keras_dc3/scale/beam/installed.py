"""Apache Beam, for the modules beside this one; without it, an error that says so."""

from keras_dc3._extras import optional

_NEEDS = "Pipelines need Apache Beam"

beam = optional("apache_beam", _NEEDS, "beam")
inference = optional("apache_beam.ml.inference.base", _NEEDS, "beam")
pipeline_options = optional("apache_beam.options.pipeline_options", _NEEDS, "beam")
