"""Runs a script under the Python that has the packages of requirements.txt: FULGURITE_PYTHON, which ./dev test --all
sets, or this one. A script whose packages are missing exits with 77, which is a skip, and under CI a failure."""

import os
import sys

python = os.environ.get("FULGURITE_PYTHON") or sys.executable
os.execv(python, [python, *sys.argv[1:]])
