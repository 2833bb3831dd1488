"""What can go wrong with a run through no fault of the program: worth a sentence, not a trace."""

import subprocess
from typing import Final

from e2e.cluster.errors import ClusterError
from e2e.support.eventually import NeverHappened
from e2e.support.install import InstallFailed
from e2e.support.kubectl import KubectlFailed
from e2e.support.load import LoadFailed
from e2e.support.programs import ProgramEnded
from e2e.support.testbed import Unavailable

SETBACKS: Final = (
    ClusterError,
    InstallFailed,
    KubectlFailed,
    LoadFailed,
    NeverHappened,
    ProgramEnded,
    Unavailable,
    subprocess.SubprocessError,
)
