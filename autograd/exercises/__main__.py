"""The room of the command `python -m autograd.exercises`."""

import sys

from autograd.exercises.command import main

if __name__ == "__main__":
    sys.exit(main())
