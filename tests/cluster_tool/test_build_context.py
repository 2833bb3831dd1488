"""What decides whether an image is built again."""

from pathlib import Path

import pytest

from e2e.cluster import build_context


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        pytest.param("docs", "docs/a/b.md", True, id="a folder and all below it"),
        pytest.param("docs", "src/docs", False, id="a plain name counts from the top"),
        pytest.param("**/docs", "src/docs/x", True, id="anywhere"),
        pytest.param("**/*.pyc", "a/b/c.pyc", True, id="anywhere, by suffix"),
        pytest.param("*.md", "README.md", True, id="star"),
        pytest.param("*.md", "docs/x.md", False, id="star stops at a slash"),
        pytest.param("a?c", "abc", True, id="question mark"),
        pytest.param("[ab]x", "bx", True, id="class"),
        pytest.param("/docs/", "docs/x", True, id="slashes around"),
        pytest.param("*\n!keep", "keep/x", False, id="an exception brings back"),
        pytest.param("*\n!keep\nkeep/secret", "keep/secret", True, id="the last rule decides"),
        pytest.param("# docs\n\n", "docs", False, id="comments and empty lines"),
        pytest.param("a.b", "aXb", False, id="a dot is a dot"),
    ],
)
def test_a_dockerignore_is_read_as_docker_reads_it(rules: str, path: str, ignored: bool) -> None:  # noqa: FBT001 - a table's column
    """Too little ignored costs a build; too much would leave a stale image."""
    assert build_context.is_ignored(path, build_context.ignore_rules(rules)) is ignored


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context with an ignored file."""
    folder = tmp_path / "context"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text("print()\n")
    (folder / "notes.md").write_text("x\n")
    (folder / ".dockerignore").write_text("*.md\n")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return folder


def key(context: Path, *words: str) -> str:
    """Return the key of the context's own Dockerfile."""
    return build_context.key(context, context / "Dockerfile", words)


def test_the_key_stays_while_nothing_changes(context: Path) -> None:
    """Also when an ignored file does."""
    before = key(context)
    (context / "notes.md").write_text("y\n")

    assert key(context) == before


def make(change: str, context: Path) -> None:
    """Change something that a build sees."""
    app = context / "src" / "app.py"
    match change:
        case "content":
            app.write_text("print(1)\n")
        case "name":
            app.rename(app.with_name("main.py"))
        case "mode":
            app.chmod(0o755)
        case "link":
            (context / "src" / "link").symlink_to("app.py")
        case "dockerfile":
            (context / "Dockerfile").write_text("FROM scratch\n")
        case "ignore":
            (context / ".dockerignore").write_text("")
        case _:
            raise AssertionError(change)


@pytest.mark.parametrize("change", ["content", "name", "mode", "link", "dockerfile", "ignore"])
def test_the_key_follows_every_change_that_a_build_sees(change: str, context: Path) -> None:
    """Content, names, modes, links, the Dockerfile and what is ignored."""
    before = key(context)
    make(change, context)

    assert key(context) != before


def test_words_cannot_run_into_each_other(context: Path) -> None:
    """Tag and target are told apart."""
    assert key(context, "ab", "c") != key(context, "a", "bc")
