"""The room where `python -m autograd` begins."""

import sys

from autograd.command import main

if __name__ == "__main__":
    sys.exit(main())
