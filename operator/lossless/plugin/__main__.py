"""``python -m lossless.plugin`` is ``kubectl-lossless``."""

import sys

from lossless.plugin.cli import main

if __name__ == "__main__":
    sys.exit(main())
