"""nginx's configuration language."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.nginx.check import Expectations, check
from lossless.nginx.contexts import seconds
from lossless.nginx.directives import Directive, UnreadableError, read_configuration
from lossless.nginx.files import InMemory, printed


@dataclass(frozen=True)
class Everywhere:
    """One text, whatever file is asked for: an include of anything includes itself."""

    text: str

    def read(self, path: str) -> str:  # noqa: ARG002 # whatever it is
        """Return the text."""
        return self.text

    def matching(self, pattern: str) -> Iterable[str]:
        """Return the pattern, as if a file had that name."""
        return [pattern]


def read(text: str) -> tuple[Directive, ...]:
    """Return the directives of a text."""
    return read_configuration("nginx.conf", files=Everywhere(text)).root.block or ()


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        pytest.param("a b  c;", "a", ("b", "c"), id="words"),
        pytest.param("a\n\tb;", "a", ("b",), id="over-lines"),
        pytest.param("a b#c;", "a", ("b#c",), id="no-comment-within-a-word"),
        pytest.param("a # ; {\n b;", "a", ("b",), id="comment-between-words"),
        pytest.param("a 'b ; c' \"d'e\";", "a", ("b ; c", "d'e"), id="quotes"),
        pytest.param("a b'c;", "a", ("b'c",), id="a-quote-within-a-word"),
        pytest.param(r"a 'b\'c' d\;e;", "a", ("b'c", r"d\;e"), id="escapes"),
        pytest.param("a ${b}c;", "a", ("${b}c",), id="a-variable-in-braces"),
        pytest.param(r"a ~ \.php$;", "a", ("~", r"\.php$"), id="a-regular-expression"),
        pytest.param('a (!-f "/b");', "a", ("(!-f", "/b", ")"), id="a-condition-with-a-quote"),
        pytest.param("'a' b;", "a", ("b",), id="a-quoted-name"),
    ],
)
def test_a_directive_is_read(text: str, name: str, arguments: tuple[str, ...]) -> None:
    """As ngx_conf_read_token does."""
    (one,) = read(text)

    assert (one.name, one.arguments, one.block) == (name, arguments, None)


def test_blocks_nest_and_know_their_lines() -> None:
    """A line is that of the directive's name."""
    (http,) = read("http {\n  server\n  {\n    listen 80;\n  }\n}\n")
    (server,) = http.block or ()
    (listen,) = server.block or ()

    assert (http.line, server.line, listen.line) == (1, 2, 4)


def test_lua_is_passed_over() -> None:
    """OpenResty's blocks are of another language, with braces and quotes of its own."""
    text = "content_by_lua_block { local a = '}' -- it's }\n if b then c({}) end }\nd;"

    assert [one.name for one in read(text)] == ["content_by_lua_block", "d"]


_WORD = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="/_.@=~^-()!+*"),
    min_size=1,
)
_WORDS = st.lists(_WORD, min_size=1, max_size=4).map(tuple)


@st.composite
def _written(draw: st.DrawFn, depth: int = 0) -> tuple[str, list[object]]:
    """Return a text and what it says: names, arguments, blocks."""
    text, said = "", list[object]()
    for words in draw(st.lists(_WORDS, max_size=3)):
        if words[0] == "include" or words[0].endswith("_by_lua_block"):
            continue
        space = draw(st.sampled_from([" ", "\n", "\t ", " # ; {\n"]))
        quote = draw(st.sampled_from(["", '"', "'"]))
        text += space.join(f"{quote}{word}{quote}" for word in words) + draw(
            st.sampled_from(["", " "])
        )
        if depth < 3 and draw(st.booleans()):
            inner, block = draw(_written(depth + 1))
            text += "{" + inner + "}"
            said.append((words, block))
        else:
            text += ";"
            said.append((words, None))
    return text, said


def _said(block: tuple[Directive, ...] | None) -> list[object] | None:
    if block is None:
        return None
    return [((one.name, *one.arguments), _said(one.block)) for one in block]


@given(_written())
def test_what_was_written_is_read(written: tuple[str, list[object]]) -> None:
    """Whatever the spaces, quotes and comments between."""
    text, said = written

    assert _said(read(text)) == said


_PIECES = st.sampled_from(
    [
        *("server", "location", "/", "@a", "{", "}", ";", "\n", "'", '"', "\\", "#", "$", "${"),
        *("if", "(!-f", "/s)", "return", "418", "error_page", "=", "proxy_pass", "http://a", "0"),
        *("keepalive_timeout", "add_header", "listen", "http2", "x_by_lua_block", "é", "\0"),
        *("rewrite", "break", "last", "permanent", "set", "$scheme"),
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=60).map(" ".join)))
def test_any_text_is_checked_or_refused(text: str) -> None:
    """With one kind of error, and nothing else comes of it."""
    try:
        check(
            read_configuration("nginx.conf", prefix="/nonexistent", files=Everywhere(text)),
            Expectations(),
        )
    except UnreadableError as error:
        said = str(error)
    else:
        return
    assert said.startswith("nginx.conf:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        ("75", 75.0),
        ("75s", 75.0),
        ("1m30s", 90.0),
        ("500ms", 0.5),
        ("2h", 7200.0),
        ("", None),
        ("soon", None),
        ("1x", None),
        ("-1", None),
    ],
)
def test_times(text: str, expected: float | None) -> None:
    """As nginx writes them."""
    assert seconds(text) == expected


def test_includes_are_found_among_texts() -> None:
    """By name, and by a mask, which does not lead into directories; what is not there is told."""
    texts = {
        "/etc/nginx/nginx.conf": "http { include conf.d/*.conf; include mime.types; }",
        "/etc/nginx/conf.d/a.conf": "server { }",
        "/etc/nginx/conf.d/deep/b.conf": "upstream b { }",
    }

    configuration = read_configuration("/etc/nginx/nginx.conf", files=InMemory(texts))

    (http,) = configuration.root.block or ()
    assert [(one.name, one.file) for one in http.block or ()] == [
        ("server", "/etc/nginx/conf.d/a.conf")
    ]
    assert [str(one) for one in configuration.missing] == ["include mime.types"]


def test_a_text_that_is_not_there_is_unreadable() -> None:
    """As a file that is not there."""
    with pytest.raises(UnreadableError, match=r"^/x: cannot be read: No such file"):
        read_configuration("/x", files=InMemory({}))


def test_a_relative_mask_does_not_match_deeper_down() -> None:
    """Python compares relative ones from the right."""
    texts = dict.fromkeys(("./conf.d/a.conf", "./old/conf.d/b.conf"), "")

    assert InMemory(texts).matching("./conf.d/*.conf") == ["./conf.d/a.conf"]


MAIN = "# configuration file /etc/nginx/nginx.conf:\n"


@pytest.mark.parametrize(
    ("text", "files"),
    [
        pytest.param(f"{MAIN}a;\n\n", {"/etc/nginx/nginx.conf": "a;\n\n"}, id="one"),
        pytest.param(
            f"{MAIN}a;\n# configuration file /b c:\nb;\n",
            {"/etc/nginx/nginx.conf": "a;\n", "/b c": "b;\n"},
            id="two",
        ),
        pytest.param(MAIN[:-1], {"/etc/nginx/nginx.conf": ""}, id="nothing-in-it"),
        pytest.param(
            "nginx: [warn] conflicting server name in /a:3\nnginx: /a test is successful\n"
            f"/docker-entrypoint.sh: Configuration complete; ready for start up\n\n{MAIN}a;\n",
            {"/etc/nginx/nginx.conf": "a;\n"},
            id="behind-warnings-and-an-entrypoint",
        ),
        pytest.param(
            f"{MAIN}a;\n {MAIN}", {"/etc/nginx/nginx.conf": f"a;\n {MAIN}"}, id="indented"
        ),
        pytest.param(f"http {{\n{MAIN}}}\n", None, id="a-comment-in-a-block"),
        pytest.param(f"user a;\n{MAIN}b;\n", None, id="a-comment-between-directives"),
        pytest.param("# configuration file of the app:\na;\n", None, id="a-comment-of-people"),
        pytest.param("http { }\n", None, id="a-file"),
        pytest.param("", None, id="empty"),
    ],
)
def test_what_nginx_prints_is_taken_apart(text: str, files: dict[str, str] | None) -> None:
    """At the lines by which it names each file; what is a file by itself is left whole."""
    whole = printed(text)

    assert (whole and list(whole.texts.items())) == (files and list(files.items()))


@given(
    st.dictionaries(
        st.text(
            st.characters(codec="utf-8", categories=["L", "N"], include_characters="/. :-")
        ).map("/".__add__),
        st.lists(_PIECES).map(" ".join),
        min_size=1,
    )
)
def test_what_is_printed_is_read_back(files: dict[str, str]) -> None:
    """Whatever the files' names and texts."""
    whole = printed(
        "".join(f"# configuration file {path}:\n{text}\n" for path, text in files.items())
    )

    assert whole is not None
    assert list(whole.texts.items()) == [(path, f"{text}\n") for path, text in files.items()]


def test_of_what_was_printed_nothing_is_read_on_this_machine(tmp_path: Path) -> None:
    """A file of the same name may be here, and be another."""
    (tmp_path / "conf.d").mkdir()
    for name in ("a.conf", "conf.d/b.conf"):
        (tmp_path / name).write_text("here;")
    path = tmp_path / "printed"
    path.write_text(
        f"# configuration file {tmp_path}/nginx.conf:\ninclude a.conf; include conf.d/*.conf; b;\n"
    )

    configuration = read_configuration(str(path))

    assert [one.name for one in configuration.root.block or ()] == ["b"]
    assert [str(one) for one in configuration.missing] == ["include a.conf"]
