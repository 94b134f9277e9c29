"""How many times longer things may take where other tests run on the same cores: `TEST_PATIENCE=3`. 1 without it."""

import os

PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))
