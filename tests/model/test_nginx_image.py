"""What an image's name says about the nginx in it."""

import pytest

from lossless.model.nginx_image import can_keep_idle, has_no_shell, nginx_version


@pytest.mark.parametrize(
    ("image", "version", "kept"),
    [
        pytest.param("nginx:1.22", (1, 22), False, id="old"),
        pytest.param("nginx:1.26.3-alpine", (1, 26, 3), False, id="stable-before"),
        pytest.param("nginx:1.27.3", (1, 27, 3), False, id="one-too-old"),
        pytest.param("nginx:1.27.4", (1, 27, 4), True, id="the-first"),
        pytest.param("nginx:1.27", (1, 27), None, id="whichever-1.27-was-pulled"),
        pytest.param("nginx:1.28-alpine-slim", (1, 28), True, id="newer"),
        pytest.param("docker.io/library/nginx:1.29.1@sha256:ab", (1, 29, 1), True, id="digest"),
        pytest.param("nginx@sha256:ab", None, None, id="only-a-digest"),
        pytest.param("nginx", None, None, id="no-tag"),
        pytest.param("nginx:latest", None, None, id="latest"),
        pytest.param("nginx:stable-alpine", None, None, id="stable"),
        pytest.param("nginx:1", None, None, id="a-major"),
        pytest.param("nginxinc/nginx-unprivileged:1.25.5", (1, 25, 5), False, id="unprivileged"),
        pytest.param("mirror.example:5000/library/nginx:1.25", (1, 25), False, id="a-mirror"),
        pytest.param("bitnami/nginx:1.29.0-debian-12-r1", (1, 29, 0), True, id="bitnami"),
        pytest.param("openresty/openresty:1.27.1.2-0-alpine", (1, 27, 1), False, id="openresty"),
        pytest.param("openresty/openresty:1.29.2.1", (1, 29, 2), True, id="newer-openresty"),
        pytest.param("registry.example:5000/shop/nginx:1.4.2", None, None, id="own-numbers"),
        pytest.param("registry.example:5000/nginx", None, None, id="a-port-is-no-tag"),
        pytest.param("nginx/nginx-ingress:3.7.0", None, None, id="an-ingress-controller"),
        pytest.param("web:1.22", None, None, id="another"),
        pytest.param("", None, None, id="none"),
    ],
)
def test_which_nginx_it_is(image: str, version: tuple[int, ...] | None, *, kept: bool) -> None:
    """What is not known is neither old nor new."""
    assert (nginx_version(image), can_keep_idle(image)) == (version, kept)


@pytest.mark.parametrize(
    ("image", "bare"),
    [
        pytest.param("cgr.dev/chainguard/nginx:latest", True, id="chainguard"),
        pytest.param("cgr.dev/chainguard/nginx:latest-dev", False, id="with-a-shell"),
        pytest.param("gcr.io/distroless/base:nonroot", True, id="distroless"),
        pytest.param("gcr.io/distroless/base:debug-nonroot", False, id="debug"),
        pytest.param("shop/nginx-distroless:1", True, id="by-its-name"),
        pytest.param("nginx:1.28", False, id="another"),
        pytest.param("shop/undistrolessed:1", False, id="within-a-word"),
    ],
)
def test_whether_there_is_a_shell(image: str, *, bare: bool) -> None:
    """Only what says that it has none."""
    assert has_no_shell(image) is bare
