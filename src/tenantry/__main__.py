"""`python -m tenantry` is the command `tenantry`."""

import sys

from tenantry.cli import main

sys.exit(main())
