# The operator's image: `make image`. Any Debian with Python from 3.11 on will do as a base, such as a mirror's:
#   docker build --build-arg BASE_IMAGE=registry.example/python:3.13-slim .
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python3 -m venv /opt/ocijobs
# What changes seldom comes first. Every file that is installed is known by its hash.
COPY requirements/operator.txt requirements/build.txt requirements/
RUN /opt/ocijobs/bin/pip install --require-hashes --requirement requirements/operator.txt
RUN python3 -m venv /opt/build && /opt/build/bin/pip install --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/ocijobs/bin/pip install --no-deps --no-index --find-links /wheels oci-jobs-operator \
    && /opt/ocijobs/bin/python -m pip uninstall --yes pip \
    && /opt/ocijobs/bin/ocijobs-operator --version \
    && /opt/ocijobs/bin/ocijobs-fetcher --version

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="OCI Jobs Operator" \
      org.opencontainers.image.description="Runs OCI Data Science jobs from Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
# What fetches sources of Git repositories.
RUN apt-get update && apt-get install --yes --no-install-recommends git openssh-client && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/ocijobs /opt/ocijobs
# Python's official images have no byte code of the standard library, and a pod can't write any: each start would compile
# it anew. pip has compiled the rest.
RUN python3 -m compileall -q "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
# Safe path: nothing that lies in the working directory is imported.
ENV PATH=/opt/ocijobs/bin:$PATH PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["ocijobs-operator"]
CMD ["run"]
