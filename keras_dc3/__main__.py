"""`python -m keras_dc3` is `keras-dc3`."""

import sys

from keras_dc3.command_line import main

if __name__ == "__main__":
    sys.exit(main())
