"""`python -m services.metrics [--role all|api|relay|consumer]`."""

import sys

from chassis.process.lifecycle import role_of, run
from services.metrics.main import NAME, build
from services.metrics.settings import MetricsSettings

if __name__ == "__main__":
    sys.exit(run(build, MetricsSettings(), NAME, role_of(sys.argv[1:])))
