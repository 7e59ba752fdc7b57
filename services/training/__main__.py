"""`python -m services.training [--role all|api|relay|consumer]`."""

import sys

from chassis.process.lifecycle import role_of, run
from services.training.main import NAME, build
from services.training.settings import TrainingSettings

if __name__ == "__main__":
    sys.exit(run(build, TrainingSettings(), NAME, role_of(sys.argv[1:])))
