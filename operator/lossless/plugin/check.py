"""``check -f FILE``: what is wrong with a set-up, before it is in a cluster."""

from collections.abc import Collection, Iterable, Sequence

from lossless.checks.accepted import codes_in, like
from lossless.checks.catalogue import CODES, examine
from lossless.checks.finding import RANK, Finding, Severity
from lossless.checks.setup import Setup, qualified
from lossless.model.names import KIND
from lossless.plugin.exits import Exit, RefusedError, UsageError
from lossless.plugin.findings_text import findings_text
from lossless.plugin.manifests import read
from lossless.plugin.surroundings import from_files
from lossless.plugin.terminal import Terminal

#: ``--fail-on``: the mildest severity that makes the exit code 3; None: none does.
FAIL_ON = {**{severity.value: severity for severity in Severity}, "never": None}


def accepted_codes(texts: Iterable[str]) -> frozenset[str]:
    """Return the codes of all ``--accept`` options.

    Raises:
        UsageError: one of them does not exist.
    """
    codes = [code for text in texts for code in codes_in(text)]
    for code in codes:
        if code not in CODES:
            raise UsageError(f"--accept {code}: there is no such check; {like(code, CODES)}")
    return frozenset(codes)


def check_files(
    files: Sequence[str],
    terminal: Terminal,
    output: str,
    fail_on: Severity | None,
    accept: Collection[str] = (),
) -> Exit:
    """Look at the LosslessRollouts in files; no cluster is asked.

    Raises:
        RefusedError: a file cannot be read, or there is no LosslessRollout in any.
    """
    setups = from_files(read(files))
    if not setups:
        raise RefusedError(
            f"-f {' -f '.join(files)}: holds no {KIND}; name the file with it as well"
        )
    return told(setups, terminal, output, fail_on, accept)


def told(
    setups: Iterable[Setup],
    terminal: Terminal,
    output: str,
    fail_on: Severity | None,
    accept: Collection[str],
) -> Exit:
    """Write what was found in set-ups, and return the exit code."""
    results = [(setup, examine(setup, accept)) for setup in setups]
    if output in {"json", "yaml"}:
        items = [
            {"rollout": qualified(setup.rollout), "target": setup.target}
            | {"findings": [finding.document() for finding in found]}
            for setup, found in results
        ]
        terminal.document(output, {"items": items})
    else:
        for index, (setup, found) in enumerate(results):
            text = findings_text(
                qualified(setup.rollout), setup.target, found, terminal.width, terminal.paint
            )
            terminal.say(["", *text] if index else text)
    return Exit.FINDINGS if _fails((f for _, fs in results for f in fs), fail_on) else Exit.OK


def _fails(findings: Iterable[Finding], fail_on: Severity | None) -> bool:
    return fail_on is not None and any(
        RANK[finding.severity] <= RANK[fail_on] for finding in findings if not finding.accepted
    )
