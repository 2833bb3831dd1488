"""Questions about an nginx that tells its clients by reloads, or could.

What image and pod template say against it, admission says as well (``injection.nginx_reload``), and
``template.out_of_reach`` repeats. Here is what nginx's configuration says.
"""

from collections.abc import Iterator

from lossless.checks.finding import Severity, Trouble
from lossless.checks.nginx import Seen, seen_configurations, works_against
from lossless.checks.setup import Setup
from lossless.injection.containers import main_containers
from lossless.injection.nginx_command import signals_process_1
from lossless.injection.nginx_reload import find_reloads
from lossless.model.nginx_image import FIRST, can_keep_idle, nginx_version
from lossless.nginx.contexts import servers
from lossless.nginx.directives import UnreadableError
from lossless.nginx.reloading import KEPT, ReloadTerms, check_reload, keeps_idle

_FIRST = ".".join(map(str, FIRST))


def works_against_status_file(setup: Setup) -> Iterator[Trouble]:
    """Ask what works against the status file, and whether there is a way without it."""
    troubles = list(works_against(setup))
    yield from troubles
    if any(trouble.severity is Severity.ERROR for trouble in troubles):
        yield from _other_way(setup)


def works_against_reload(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a reload tells the clients of this configuration, and cuts nobody."""
    for seen in seen_configurations(setup):
        if seen.driver.reload is None:
            continue
        try:
            findings = check_reload(seen.root, _terms(seen, setup))
        except UnreadableError:
            # `not_known` says so.
            continue
        for one in findings:
            yield Trouble(
                f"{seen.files[one.file].place}:{one.line}",
                f"{one.rule}: {one.what}; {one.why}",
                one.remedy,
                Severity(one.severity),
            )


def not_known(setup: Setup) -> Iterator[Trouble]:
    """Ask whether it is known that nginx keeps idle connections in a reload."""
    for name, image in _reloaded(setup).items():
        seen = [one for one in seen_configurations(setup) if one.container.get("name") == name]
        if any(keeps_idle(one.root) or (one.whole and any(servers(one.root))) for one in seen):
            # An older nginx would not start; or `works_against_reload` has looked.
            continue
        version = nginx_version(image) if can_keep_idle(image) else None
        told = (
            f"image {image} has nginx {'.'.join(map(str, version))}, which can"
            if version
            else f"image {image} does not tell whether its nginx is {_FIRST} or newer, which can"
        )
        yield Trouble(
            f"{setup.target} container {name}",
            f"{told} keep idle connections in a reload, and no ConfigMap shows whether its"
            f" configuration has {KEPT} for that; without it the hook does not reload, and clients"
            " are not told",
            "see what kubectl exec POD -- nginx -v says, and kubectl exec POD -- nginx -T |"
            " lossless nginx-check --reload /dev/stdin",
        )


def _other_way(setup: Setup) -> Iterator[Trouble]:
    """Say what makes a configuration fit for a reload that is not fit for the status file."""
    for seen in seen_configurations(setup):
        if seen.driver.reload is not None or can_keep_idle(_image(seen)) is False:
            continue
        known = can_keep_idle(_image(seen)) or keeps_idle(seen.root)
        version = (
            "its nginx is new enough"
            if known
            else f"if its nginx is {_FIRST} or newer, which image {_image(seen)} does not tell"
        )
        has = keeps_idle(seen.root)
        yield Trouble(
            f"{setup.target} container {seen.container.get('name')}",
            "fit-for-a-reload: what its locations do is at odds with the status file, and a reload"
            f" tells clients whatever locations do: {version}, and its configuration"
            + (f" has {KEPT}" if has else f" gets one line, {KEPT} 75s; in http"),
            "close: [{nginx: {reload: {}}}]",
            Severity.NOTE,
        )


def _reloaded(setup: Setup) -> dict[str, str]:
    """Return the images of the containers in which nginx will be reloaded, by name."""
    if setup.valid is None:
        return {}
    main = main_containers(setup.containers, setup.counted)
    found = find_reloads(setup.valid, setup.pod, main).of
    return {
        container.name: container.image
        for container in setup.containers
        if container.name in found and found[container.name].again
    }


def _terms(seen: Seen, setup: Setup) -> ReloadTerms:
    assert setup.valid is not None  # noqa: S101 # there is a driver
    drain, reload = setup.valid.drain, seen.driver.reload
    return ReloadTerms(
        client_idle=drain.client_idle_timeout,
        timeout=drain.timeout,
        by_pid_file=not (reload and signals_process_1(reload.command)),
        whole=seen.whole,
    )


def _image(seen: Seen) -> str:
    return str(seen.container.get("image") or "")
