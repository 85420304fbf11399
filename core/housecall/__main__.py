"""`python -m housecall` is the command `housecall`."""

import sys

from .cli import main

sys.exit(main())
