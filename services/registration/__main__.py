"""`python -m services.registration [--role all|api|relay|consumer]`."""

import sys

from chassis.process.lifecycle import role_of, run
from services.registration.main import NAME, build
from services.registration.settings import RegistrationSettings

if __name__ == "__main__":
    sys.exit(run(build, RegistrationSettings(), NAME, role_of(sys.argv[1:])))
