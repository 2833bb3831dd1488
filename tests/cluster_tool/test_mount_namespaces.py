"""A node's own view of the file system."""

import shlex
from pathlib import Path

from e2e.cluster import mount_namespaces
from e2e.cluster.paths import Paths
from e2e.cluster.topology import Topology

TWO = Topology("10.89.0.0/24", 2)


def lines(state: str) -> list[list[str]]:
    """Return the words of each line of node1's script."""
    paths = Paths(cache=Path("/cache"), state=Path(state))
    script = mount_namespaces.script(TWO.nodes[1], paths)
    return [shlex.split(line) for line in script.splitlines()]


def test_nothing_mounted_in_a_node_is_seen_by_the_machine() -> None:
    """The first thing is to become a slave; only then anything is mounted."""
    assert lines("/state")[0] == ["mount", "--make-rslave", "/"]


def test_every_private_folder_is_mounted_from_the_nodes_own() -> None:
    """Two nodes' kubelets, CNI plugins and logs never meet."""
    binds = [words[2:] for words in lines("/state") if words[:2] == ["mount", "--bind"]]

    assert [Path(target) for _, target in binds] == list(mount_namespaces.PRIVATE_FOLDERS)
    assert all(source.startswith("/state/nodes/node1/") for source, _ in binds)
    assert len({source for source, _ in binds}) == len(binds)


def test_a_state_folder_with_odd_characters_is_one_word() -> None:
    """A home may have a space or a quote in its name."""
    binds = [words[2] for words in lines("/home/o'x y/state") if words[:2] == ["mount", "--bind"]]

    assert binds[0] == "/home/o'x y/state/nodes/node1/var-lib-kubelet"
