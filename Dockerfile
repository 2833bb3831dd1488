# Two images from one file:
#   docker build --target operator -t REGISTRY/lossless:TAG .          controller and webhook
#   docker build --target agent    -t REGISTRY/lossless-agent:TAG .    the sidecar of every pod
#
# BASE is any image with Python 3.11 to 3.13 and its venv module. All stages use the same one, so
# that what is installed for an interpreter finds that interpreter. No BuildKit syntax: buildah
# and older Docker engines build this too. Where the source is published, say so with
# --label org.opencontainers.image.source=URL.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
# pip is that of a venv: a base need not have one on PATH.
RUN python3 -m venv /opt/build
COPY requirements/build.txt requirements/
RUN /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
      --requirement requirements/build.txt
COPY LICENSE README.md pyproject.toml ./
COPY operator operator
# Without build isolation the wheel is made by what is locked.
RUN /opt/build/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-deps \
      --no-build-isolation --wheel-dir /dist .

FROM build AS operator-build
COPY requirements/operator.txt requirements/
RUN python3 -m venv --without-pip /opt/lossless \
 && /opt/build/bin/pip --python /opt/lossless/bin/python3 install --no-cache-dir \
      --disable-pip-version-check --no-compile --require-hashes \
      --requirement requirements/operator.txt \
 && /opt/build/bin/pip --python /opt/lossless/bin/python3 install --no-cache-dir \
      --disable-pip-version-check --no-compile --no-deps --no-index /dist/*.whl

FROM build AS agent-build
COPY requirements/agent.txt requirements/
# Only what the agent needs: no entry points, no metadata, no other part of the package.
RUN /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile \
      --require-hashes --requirement requirements/agent.txt --target /opt/lossless \
 && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile \
      --no-deps --no-index --target /opt/wheel /dist/*.whl \
 && mkdir /opt/lossless/lossless \
 && cp -r /opt/wheel/lossless/__init__.py /opt/wheel/lossless/model /opt/wheel/lossless/agent \
      /opt/lossless/lossless/ \
 && cp /opt/wheel/lossless/agent/start_drain.py /opt/lossless/ \
 && rm -rf /opt/lossless/bin \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/lossless

FROM ${BASE} AS agent
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="lossless-agent" \
      org.opencontainers.image.description="Drains its pod and holds the kubelet until no client can notice" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=agent-build /opt/lossless /usr/local/lib/lossless
# A base may come without the standard library's bytecode (the official one does), and nothing can
# be written at run time: importing once leaves the bytecode of what is needed.
RUN PYTHONPATH=/usr/local/lib/lossless python3 -c 'import lossless.agent.__main__, lossless.agent.runtime' \
 && python3 -I -S -c 'import runpy; runpy.run_path("/usr/local/lib/lossless/start_drain.py")'
ENV PYTHONPATH=/usr/local/lib/lossless \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65534:65534
ENTRYPOINT ["python3", "-m", "lossless.agent"]

FROM ${BASE} AS operator
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="lossless" \
      org.opencontainers.image.description="Kubernetes operator for lossless rollouts: controller and webhook" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=operator-build /opt/lossless /opt/lossless
ENV PATH=/opt/lossless/bin:$PATH
# As above; and an image in which some module cannot be imported is not built. The host mode is for
# machines without Kubernetes and has an extra of its own.
RUN python3 -c 'import importlib, lossless, pkgutil; \
      [importlib.import_module(m.name) for m in pkgutil.walk_packages(lossless.__path__, "lossless.") \
       if not m.name.startswith("lossless.host")]'
ENV PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65534:65534
ENTRYPOINT ["python3", "-m", "lossless"]
