"""OpenEnv's tests need a virtual environment of their own: `make test-slow` names and runs them."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("openenv") else ["test_openenv_*.py"]
