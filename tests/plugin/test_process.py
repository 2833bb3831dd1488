"""``kubectl-lossless`` as a process: exit codes, and a clean end however it ends."""

import asyncio
import json
import os
import re
import signal
import sys
import tomllib
from asyncio.subprocess import PIPE, Process
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml

from lossless.cluster.rollout_status import status_document
from lossless.plugin.commandline import parser
from lossless.plugin.completion import verbs
from lossless.plugin.exits import Exit
from tests.checks.manifests import changed, right
from tests.plugin.test_tree import DOC
from tests.plugin.test_verbs import status
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import ROLLOUTS, raw_rollout

ROOT = Path(__file__).resolve().parents[2]


async def started(*arguments: str, **environment: str) -> Process:
    """Start one command."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lossless.plugin",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator"), **environment},
    )


async def ran(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run one command; return exit code, output and errors."""
    process = await started(*arguments, **environment)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def kubeconfig(at: Path, fake: FakeKubernetes) -> str:
    """Write a kubeconfig whose context has namespace shop."""
    at.write_text(
        json.dumps(
            {
                "current-context": "c",
                "contexts": [
                    {"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "shop"}}
                ],
                "clusters": [{"name": "k", "cluster": {"server": fake.url}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
            }
        )
    )
    return str(at)


def stored(fake: FakeKubernetes) -> None:
    """Store LosslessRollout shop/web in the middle of a rollout."""
    fake.put(f"{ROLLOUTS}/web", raw_rollout() | {"status": status_document(status())})


async def test_the_namespace_of_the_context(tmp_path: Path) -> None:
    """As with every kubectl command; nothing but text when nobody looks."""
    async with fake_kubernetes() as (fake, _):
        stored(fake)
        code, out, err = await ran("status", KUBECONFIG=kubeconfig(tmp_path / "k", fake))
    assert (code, err) == (Exit.OK, "")
    assert out.startswith("shop/web  Progressing")
    assert "\x1b" not in out


async def test_a_terminal_without_unicode(tmp_path: Path) -> None:
    """What it cannot show is replaced."""
    async with fake_kubernetes() as (fake, _):
        stored(fake)
        file = kubeconfig(tmp_path / "k", fake)
        code, out, _ = await ran("status", "--kubeconfig", file, PYTHONIOENCODING="ascii")
    assert code == Exit.OK
    assert "????" in out


async def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends a watch without a trace."""
    async with fake_kubernetes() as (fake, _):
        stored(fake)
        process = await started(
            "status", "--watch", "--kubeconfig", kubeconfig(tmp_path / "k", fake)
        )
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert (process.returncode, err) == (Exit.INTERRUPTED, b"\n")


async def test_nobody_reads(tmp_path: Path) -> None:
    """``kubectl lossless status | head -0`` complains of nothing."""
    async with fake_kubernetes() as (fake, _):
        stored(fake)
        read, write = os.pipe()
        os.close(read)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lossless.plugin",
            "status",
            "--kubeconfig",
            kubeconfig(tmp_path / "k", fake),
            stdout=write,
            stderr=PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        )
        os.close(write)
        _, err = await process.communicate()
    assert (process.returncode, err) == (Exit.BROKEN_PIPE, b"")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["--kubeconfig", "/nowhere", "status"], Exit.USAGE, "VERB", id="option first"),
        pytest.param(["nothing"], Exit.USAGE, "invalid choice: 'nothing'", id="unknown verb"),
        pytest.param([], Exit.USAGE, "the following arguments are required: VERB", id="no verb"),
        pytest.param(["status", "-A", "web"], Exit.USAGE, "leave -A or web away", id="-A and NAME"),
        pytest.param(["status", "-A", "-n", "x"], Exit.USAGE, "exclude each other", id="-A and -n"),
        pytest.param(["status", "-w", "-o", "json"], Exit.USAGE, "get llr -w", id="-w and json"),
        pytest.param(["check", "web", "-f", "x"], Exit.USAGE, "choose one", id="-f and NAME"),
        pytest.param(["undo", "web", "--to-revision", "-1"], Exit.USAGE, "1 or more", id="-1"),
        pytest.param(
            ["status", "--request-timeout", "soon"], Exit.USAGE, "'soon' is not a", id="timeout"
        ),
        pytest.param(["status", "--request-timeout", "0"], Exit.USAGE, "more than 0", id="0"),
        pytest.param(
            ["status", "--kubeconfig", "/nowhere"], Exit.FAILED, "no such file", id="no kubeconfig"
        ),
        pytest.param(["check", "-f", "/nowhere"], Exit.FAILED, "-f /nowhere: ", id="no file"),
        pytest.param(["render", "-f", "/nowhere"], Exit.FAILED, "-f /nowhere: ", id="no manifest"),
    ],
)
async def test_what_goes_wrong(arguments: list[str], code: Exit, says: str) -> None:
    """The exit code tells the kind, standard error the reason, without a traceback."""
    got, out, err = await ran(*arguments)

    assert (got, out) == (code, "")
    assert says in err
    assert err.startswith("kubectl lossless")
    assert "Traceback" not in err


async def test_nobody_answers(tmp_path: Path) -> None:
    """What was asked, what happened, and what to do, in one line."""
    async with fake_kubernetes() as (fake, _):
        file = kubeconfig(tmp_path / "k", fake)
    code, _, err = await ran("status", "--kubeconfig", file)

    assert code == Exit.FAILED
    assert "GET /apis/lossless.dev/v1alpha1/namespaces/shop/losslessrollouts: " in err
    assert err.endswith("kubectl version says so\n")


async def test_files_need_no_cluster(tmp_path: Path) -> None:
    """``check -f`` and ``render -f`` ask nobody, and do not even load the client."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(yaml.safe_dump_all(right().values()))
    bad.write_text(yaml.safe_dump_all(changed("service/spec/ports", [{"port": 1}]).values()))
    offline = {"KUBECONFIG": "/nowhere", "PYTHONPROFILEIMPORTTIME": "1"}

    code, out, err = await ran("check", "-f", str(good), **offline)
    assert (code, out) == (Exit.OK, "shop/web → Deployment shop/web: nothing found\n")
    assert not [line for line in err.splitlines() if line.endswith((" kubernetes", " aiohttp"))]

    code, out, _ = await ran("check", "-f", str(bad))
    assert code == Exit.FINDINGS
    assert "LL402" in out

    code, out, _ = await ran("check", "-f", str(bad), "--accept", "LL402,LL104")
    assert (code, out.split("\n")[0]) == (Exit.OK, "shop/web → Deployment shop/web: 1 accepted")
    assert "accepted LL402  A Service leads past the count" in out
    code, _, err = await ran("check", "-f", str(bad), "--accept", "LL4O2")
    assert code == Exit.USAGE
    assert "--accept LL4O2: there is no such check; write LL402" in err

    code, out, err = await ran("render", "-f", str(good), **offline)
    assert code == Exit.OK
    assert "+  - name: lossless-agent" in out.splitlines()
    assert not [line for line in err.splitlines() if line.endswith((" kubernetes", " aiohttp"))]


async def test_render_says_what_is_missing(tmp_path: Path) -> None:
    """A workload without a LosslessRollout stays as written; nothing at all is an error."""
    alone, none = tmp_path / "alone.yaml", tmp_path / "none.yaml"
    alone.write_text(yaml.safe_dump(right()["deployment"]))
    none.write_text(yaml.safe_dump(right()["service"]))
    both = tmp_path / "both.yaml"
    both.write_text(yaml.safe_dump_all(right().values()))
    invalid = tmp_path / "invalid.yaml"
    invalid.write_text(yaml.safe_dump_all(changed("llr/spec/ports", "x").values()))

    code, out, err = await ran("render", "-f", str(alone))
    assert (code, out) == (Exit.OK, "")
    assert "its pods start as written" in err
    code, out, err = await ran("render", "-f", str(both), "-o", "yaml", "--agent-image", "a:1")
    assert code == Exit.OK
    (item,) = yaml.safe_load(out)["items"]
    assert item["template"]["spec"]["initContainers"][0]["image"] == "a:1"

    code, _, err = await ran("render", "-f", str(none))
    assert (code, "holds no Deployment" in err) == (Exit.FAILED, True)
    code, _, err = await ran("render", "-f", str(invalid))
    assert (code, "spec.ports: 'x': must be a list" in err) == (Exit.FAILED, True)
    code, _, err = await ran("check", "-f", str(none))
    assert (code, "holds no LosslessRollout" in err) == (Exit.FAILED, True)


async def test_help_fits_a_terminal() -> None:
    """Every page of it, on 80 columns."""
    for verb in ["", *verbs(parser())]:
        code, out, _ = await ran(*[verb][: bool(verb)], "--help", COLUMNS="80")
        assert code == Exit.OK
        assert max(map(len, out.splitlines())) <= 80
        assert "Exit codes: 0 done;" in out


def test_the_scripts_are_there() -> None:
    """Kubectl finds the plugin and its completion by their names."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name in ("kubectl-lossless", "kubectl_complete-lossless"):
        assert callable(EntryPoint(name, scripts[name], "console_scripts").load())


def test_exit_codes_are_documented() -> None:
    """Scripts depend on them."""
    told = re.findall(r"^\| (\d+) \| ", DOC, re.MULTILINE)
    assert [int(code) for code in told] == [code.value for code in Exit]
    assert all(f"`{verb}" in DOC or f"lossless {verb}" in DOC for verb in verbs(parser()))
