"""Which images a node has."""

import pytest

from e2e.cluster import node_images

LISTING = """\
REF                TYPE                          DIGEST      SIZE     PLATFORMS   LABELS
localhost/a:1      application/vnd.docker...json sha256:11   1.2 MiB  linux/amd64 \
io.cri-containerd.image=managed,lossless.dev/archive=aaaa
localhost/b:1      application/vnd.docker...json sha256:22   1.2 MiB  linux/amd64 \
io.cri-containerd.image=managed
sha256:33          application/vnd.docker...json sha256:33   1.2 MiB  linux/amd64 \
lossless.dev/archive=aaaa

"""


@pytest.mark.parametrize(
    ("tag", "digest", "has"),
    [
        pytest.param("localhost/a:1", "aaaa", True, id="the same content"),
        pytest.param("localhost/a:1", "bbbb", False, id="other content under that name"),
        pytest.param("localhost/b:1", "aaaa", False, id="not loaded by us, or not to the end"),
        pytest.param("localhost/c:1", "aaaa", False, id="another name"),
        pytest.param("localhost/a", "aaaa", False, id="a prefix of the name"),
    ],
)
def test_an_import_is_skipped_for_the_same_content_only(tag: str, digest: str, has: bool) -> None:  # noqa: FBT001 - a table's column
    """By the label that was set after a finished import."""
    assert node_images.has(LISTING, tag, digest) is has
