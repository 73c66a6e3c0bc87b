"""Importing the table of backbones loads none of them."""

import subprocess
import sys


def test_importing_the_table_is_cheap():
    code = "import sys, lightbulb_backbones; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
