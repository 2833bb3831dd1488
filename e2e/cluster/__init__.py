"""A real Kubernetes cluster for e2e and the demo: `python -m e2e.cluster up`.

Where things are:

    cli                 the commands
    provider            what a provider can do: `kind`, `existing`, or `local` out of own processes
    topology            names and addresses of a local cluster
    components          its programs, each of which can be started, stopped, killed and frozen
    network             its network namespaces and bridge
    mount_namespaces    each node's own view of the file system
    cgroups             each node's own root for pods
    configuration       configuration files; certificates, kubeconfig: credentials
    processes           pids that are never mistaken
    binaries            what is built from Go modules; images, base_image: what is built from Debian
    cluster             the Python interface for tests
"""
