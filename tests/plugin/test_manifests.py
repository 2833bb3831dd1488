"""Objects from files, as ``kubectl -f`` reads them."""

import io
import json
from pathlib import Path

import pytest

from lossless.plugin.exits import RefusedError
from lossless.plugin.manifests import read

TWO = "kind: A\n---\n# nothing\n---\nkind: B\n"


def test_documents_lists_folders_and_standard_input(tmp_path: Path) -> None:
    """Every way in which people keep them."""
    (tmp_path / "b.yaml").write_text(TWO)
    (tmp_path / "a.json").write_text(json.dumps({"kind": "List", "items": [{"kind": "C"}]}))
    (tmp_path / "notes.txt").write_text("no manifest")

    def kinds(*files: str) -> list[str]:
        return [raw["kind"] for raw in read(files, io.StringIO("kind: D"))]

    assert kinds(str(tmp_path / "b.yaml")) == ["A", "B"]
    assert kinds(str(tmp_path)) == ["C", "A", "B"]
    assert kinds("-", str(tmp_path / "a.json")) == ["D", "C"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"kind: [", r"is not YAML \(line 1, column 8: ", id="not YAML"),
        pytest.param(b"a: *s3cret", r"is not YAML \(line 1, column 4\)", id="unknown alias"),
        pytest.param(b"- 1", "document 1 is no Kubernetes object", id="no object"),
        pytest.param(b"metadata: {}", "it has no kind", id="no kind"),
        pytest.param(
            b"kind: List\nitems: [7]", "document 1 item 1 is no Kubernetes object", id="odd item"
        ),
        pytest.param(b"!!python/object:os.x {}", "is not YAML", id="code"),
        pytest.param(b"\xff\xfe\x00", "can", id="not text"),
        pytest.param(None, "No such file or directory", id="missing"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes | None, says: str) -> None:
    """The message names the file and stays on one line."""
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RefusedError, match=says) as error:
        read([str(path)])
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert "s3cret" not in str(error.value)


def test_standard_input_that_is_no_text() -> None:
    """As a file that is none."""
    with pytest.raises(RefusedError, match=r"-f -: .* name a manifest that can be read"):
        read(["-"], io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
