"""Objects are found under every name that kubectl takes for their kind."""

import pytest

from e2e.support.api import Resource, resources

#: As the API server answers for /api and /apis, in small.
CORE = {
    "items": [
        {
            "metadata": {},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": "pods",
                            "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
                            "scope": "Namespaced",
                            "singularResource": "pod",
                            "shortNames": ["po"],
                        },
                        {
                            "resource": "nodes",
                            "responseKind": {"group": "", "version": "v1", "kind": "Node"},
                            "scope": "Cluster",
                            "singularResource": "node",
                        },
                    ],
                }
            ],
        }
    ]
}
APPS = {
    "items": [
        {
            "metadata": {"name": "apps"},
            "versions": [
                {
                    "version": "v1",
                    "resources": [
                        {
                            "resource": "deployments",
                            "responseKind": {"kind": "Deployment"},
                            "scope": "Namespaced",
                            "singularResource": "deployment",
                            "shortNames": ["deploy"],
                        }
                    ],
                }
            ],
        }
    ]
}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("pods", "/api/v1/namespaces/ns/pods/x", id="plural"),
        pytest.param("pod", "/api/v1/namespaces/ns/pods/x", id="singular"),
        pytest.param("po", "/api/v1/namespaces/ns/pods/x", id="short"),
        pytest.param("node", "/api/v1/nodes/x", id="of-the-cluster"),
        pytest.param("deployment.apps", "/apis/apps/v1/namespaces/ns/deployments/x", id="group"),
        pytest.param(
            "deployments.v1.apps", "/apis/apps/v1/namespaces/ns/deployments/x", id="version-too"
        ),
    ],
)
def test_a_kind_has_several_names(name: str, path: str) -> None:
    """And one path."""
    found = dict([*resources(CORE), *resources(APPS)])

    assert found[name].path("ns", "x") == path


def test_a_collection_of_all_namespaces() -> None:
    """No namespace stands in its path."""
    assert Resource("/api/v1", "pods", namespaced=True).path("") == "/api/v1/pods"
