"""Docker archives."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from e2e.cluster import docker_archive
from e2e.cluster.errors import ClusterError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A file to put into an image."""
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF")
    return path


def write(archive: Path, program: Path, tag: str = "localhost/x:1") -> None:
    """Write an archive with one layer."""
    docker_archive.write(
        archive,
        tag=tag,
        layers=[docker_archive.layer({"bin/program": program})],
        architecture="amd64",
        config={"Entrypoint": ["/bin/program"]},
    )


def test_what_is_written_is_read(tmp_path: Path, program: Path) -> None:
    """Tag and digest come back, and the digest is that of the configuration."""
    write(tmp_path / "x.tar", program)

    (image,) = docker_archive.read(tmp_path / "x.tar")

    assert image.tags == ("localhost/x:1",)
    with tarfile.open(tmp_path / "x.tar") as tar:
        config = tar.extractfile(f"{image.digest}.json")
        assert config is not None
        document = json.load(config)
    assert document["config"] == {"Entrypoint": ["/bin/program"]}
    assert len(document["history"]) == len(document["rootfs"]["diff_ids"]) == 1


def test_the_same_content_is_the_same_image(tmp_path: Path, program: Path) -> None:
    """So a node that has it is not given it again."""
    write(tmp_path / "a.tar", program)
    program.touch()
    write(tmp_path / "b.tar", program)

    assert docker_archive.read(tmp_path / "a.tar") == docker_archive.read(tmp_path / "b.tar")


def test_other_content_is_another_image(tmp_path: Path, program: Path) -> None:
    """Also under the same name."""
    write(tmp_path / "a.tar", program)
    program.write_bytes(b"other")
    write(tmp_path / "b.tar", program)

    assert docker_archive.read(tmp_path / "a.tar") != docker_archive.read(tmp_path / "b.tar")


def test_a_layer_may_be_a_file(tmp_path: Path, program: Path) -> None:
    """The base image's is too large for memory."""
    layer = tmp_path / "layer.tar"
    layer.write_bytes(docker_archive.layer({"bin/program": program}))
    docker_archive.write(
        tmp_path / "a.tar",
        tag="localhost/x:1",
        layers=[layer],
        architecture="amd64",
        config={"Entrypoint": ["/bin/program"]},
    )
    write(tmp_path / "b.tar", program)

    assert docker_archive.read(tmp_path / "a.tar") == docker_archive.read(tmp_path / "b.tar")


@pytest.mark.parametrize("config", ["abc.json", "blobs/sha256/abc"])
def test_both_layouts_of_docker_are_read(config: str, tmp_path: Path) -> None:
    """Docker 25 and newer write an OCI layout around the same manifest."""
    content = json.dumps([{"Config": config, "RepoTags": None, "Layers": []}]).encode()
    entry = tarfile.TarInfo("manifest.json")
    entry.size = len(content)
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.addfile(entry, io.BytesIO(content))

    assert docker_archive.read(tmp_path / "x.tar") == (docker_archive.ArchivedImage((), "abc"),)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "does not exist", id="no file"),
        pytest.param(b"not a tar", "is not a docker archive", id="no archive"),
        pytest.param(b"\0" * 10240, "is not a docker archive", id="an empty archive"),
    ],
)
def test_what_is_no_docker_archive_is_refused(
    content: bytes | None, problem: str, tmp_path: Path
) -> None:
    """The message names the file and how to make a good one."""
    path = tmp_path / "x.tar"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ClusterError, match=problem):
        docker_archive.read(path)
