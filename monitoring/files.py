"""Which files are made, and of what."""

from pathlib import Path
from typing import Final

from monitoring.dashboard import dashboard
from monitoring.exposed import families
from monitoring.reference import reference
from monitoring.rules import read_alerts

ROOT: Final = Path(__file__).parent.parent
_FILES: Final = ROOT / "charts" / "lossless" / "files"
#: Written by hand.
ALERTS: Final = _FILES / "alerts.yaml"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"
DASHBOARD: Final = _FILES / "dashboard.json"
REFERENCE: Final = ROOT / "docs" / "metrics.md"


def made() -> dict[Path, str]:
    """Return the text of each file that is made."""
    return {
        DASHBOARD: dashboard(),
        REFERENCE: reference(families(), read_alerts(ALERTS)),
    }
