"""What a platform team's Prometheus and Grafana are given: made from the code, and committed.

``python -m monitoring`` writes it anew; a test fails when it would differ:

* ``docs/metrics.md``: every metric, from the pages that the processes serve;
* ``charts/lossless/files/dashboard.json``: the Grafana dashboard.

The alerts are written by hand, ``charts/lossless/files/alerts.yaml``; each has its page in
``docs/runbooks/``.
"""
