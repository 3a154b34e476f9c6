"""`import` and `export` of jobs on Data Flow: what one says the other says too, and what is lost is told."""

from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import manifests

from ocijobs.api.job.spec import OCIJob
from ocijobs.cli.__main__ import main
from ocijobs.cli.ads_export import exported
from ocijobs.cli.ads_import import imported

META = {"creationTimestamp": "2026-01-01T00:00:00Z"}
STORED = "oci://code@mytenancy/main.py"
E4 = {"ocpus": 1.0, "memoryInGBs": 16.0}

Spec = dict[str, Any]


def ads(runtime: Spec | None = None, **infrastructure: Any) -> Spec:
    """Return a job of ADS on Data Flow."""
    return {
        "kind": "job",
        "spec": {
            "name": "etl",
            "infrastructure": {"type": "dataFlow", "spec": infrastructure},
            "runtime": {
                "type": "dataFlow",
                "spec": {"scriptPathURI": STORED, **(runtime or {})},
            },
        },
    }


def run(folder: Path, command: str, document: Any, *arguments: str) -> tuple[Any, Result]:
    """Return what a command prints of a document, and how it ended; what it writes goes into the folder."""
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(document))
    with chdir(folder):
        done = CliRunner().invoke(main, (command, str(path), *arguments), catch_exceptions=False)
    return yaml.safe_load(done.stdout) if done.exit_code == 0 else None, done


def spec_of(document: Any) -> Spec:
    """Return the spec of an OCIJob that the operator takes."""
    metadata = {**document["metadata"], **META}
    OCIJob.model_validate({**document, "metadata": metadata})
    spec: Spec = document["spec"]
    return spec


def test_what_ads_takes_in_silence_is_written_out_and_told(tmp_path: Path) -> None:
    document, done = run(tmp_path, "import", ads())
    assert spec_of(document)["infrastructure"]["dataFlow"] == {
        "sparkVersion": "3.2.1",
        "driverShape": "VM.Standard.E3.Flex",
        "driverShapeConfig": {"ocpus": 1, "memoryInGBs": 16},
    }
    for told in ("sparkVersion: is missing", "driverShapeConfig: oracle-ads leaves the size"):
        assert told in done.stderr
    assert "has no dataflow.auth: runs of an OCIJob have the rights of a resource" in done.stderr


def test_both_configurations_count_and_variables_are_taken_out_of_them(tmp_path: Path) -> None:
    document, done = run(
        tmp_path,
        "import",
        ads(
            {
                "configuration": {
                    "spark.b": True,
                    "spark.driverEnv.A": "$(x) $5",
                    "spark.executorEnv.A": "other",
                    "spark.executorEnv.C": "1",
                    "dataflow.auth": "resource_principal",
                },
                "env": {"A": "no effect in ADS", "B": "${A}"},
                "args": ["${input}", "$(A)"],
            },
            configuration={"spark.a": "1", "spark.b": "2"},
            sparkVersion="3.5.0",
            driverShape="VM.Standard2.1",
            executorShape="VM.Standard2.1",
            numExecutors=3,
        ),
    )
    spec = spec_of(document)
    assert spec["infrastructure"]["dataFlow"] == {
        "sparkVersion": "3.5.0",
        "driverShape": "VM.Standard2.1",
        "numExecutors": 3,
        "sparkConfiguration": {"spark.a": "1", "spark.b": "true"},
    }
    assert spec["env"] == [
        {"name": "A", "value": "$$(x) $$5"},
        {"name": "C", "value": "1"},
        {"name": "B", "value": "$(A)"},
    ]
    # A parameter of Data Flow is none of the operator's references, and what looks like one is none in ADS.
    assert spec["args"] == ["${input}", "$$(A)"]
    assert "spark.a: oracle-ads sends the runtime's configuration alone" in done.stderr
    assert "spark.executorEnv.A: driver and executors have the same variables" in done.stderr


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (ads(execute="--class A"), "spec.infrastructure.spec.execute: left out: A line of spark-"),
        (ads(foo=1), "spec.infrastructure.spec.foo: left out: oracle-ads has no such key"),
        (ads({"overwrite": True}), "spec.runtime.spec.overwrite: left out: Each state of the code"),
        (ads({"archiveBucket": "b"}), "spec.runtime.spec.archiveBucket: left out: The archive"),
        (ads({"archiveUri": "libs.zip"}), "set runtime.spark.archiveUri to its oci:// URI"),
        (ads({"scriptBucket": "b"}), "artifactBucketUri to oci://b@NAMESPACE"),
        (ads({"conda": {"type": "service", "slug": "x"}}), "has no environments of the service"),
        (ads(id="ocid1.dataflowapplication.oc1.iad.a"), "set spec.adopt.ocid to keep that"),
        (ads(language="SCALA"), "no key for the main class: set runtime.spark.className"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_ocijob_can_not_say_is_told(tmp_path: Path, document: Spec, told: str) -> None:
    made, done = run(tmp_path, "import", document)
    spec_of(made)
    assert told in done.stderr


def test_whose_rights_a_run_has_is_kept(tmp_path: Path) -> None:
    conda = {"type": "published", "uri": "oci://envs@mytenancy/spark/1.0"}
    document, _ = run(tmp_path, "import", ads({"conda": conda, "condaAuthType": "api_keys"}))
    flow = spec_of(document)["infrastructure"]["dataFlow"]
    assert flow["sparkConfiguration"] == {"dataflow.auth": "api_keys"}
    back, _ = run(tmp_path, "export", document)
    assert back["spec"]["runtime"]["spec"]["condaAuthType"] == "api_keys"
    plain, _ = run(tmp_path, "export", manifests.spark_job())
    properties = plain["spec"]["runtime"]["spec"]["configuration"]
    assert properties == {"dataflow.auth": "resource_principal"}


@pytest.mark.parametrize(
    ("infrastructure", "runtime", "message"),
    [
        ("dataFlow", "script", "spec.runtime.type: 'script' is not one of dataFlow"),
        ("dataScienceJob", "dataFlow", "spec.runtime.type: 'dataFlow' is not one of script"),
    ],
)
def test_a_runtime_of_the_other_service_is_told(
    tmp_path: Path, infrastructure: str, runtime: str, message: str
) -> None:
    document = ads()
    document["spec"]["infrastructure"]["type"] = infrastructure
    document["spec"]["runtime"]["type"] = runtime
    _, done = run(tmp_path, "import", document)
    assert (done.exit_code, message in done.stderr) == (1, True)


def test_code_goes_beside_the_yaml_and_needs_a_bucket(tmp_path: Path) -> None:
    job = manifests.spark_job(
        files={"main.py": "import tools\n", "tools.py": ""}, code={"entrypoint": "main.py"}
    )
    document, done = run(tmp_path, "export", job, "--code", str(tmp_path / "code"))
    runtime = document["spec"]["runtime"]["spec"]
    assert runtime["scriptPathURI"] == str(tmp_path / "code" / "job" / "main.py")
    assert (tmp_path / "code" / "job" / "tools.py").exists()
    for told in ("ADS takes the one file", "artifactBucketUri: is missing: ADS needs scriptBucket"):
        assert told in done.stderr


def test_what_ads_can_not_say_of_spark_is_told(tmp_path: Path) -> None:
    job = manifests.spark_job(
        machines={
            "type": "STREAMING",
            "language": "SCALA",
            "poolName": "pool",
            "applicationLogConfig": {
                "logGroupId": "ocid1.loggroup.oc1.iad.a",
                "logId": "ocid1.log.oc1.iad.a",
            },
            "artifactBucketUri": "oci://code@mytenancy/spark",
        },
        code={
            "source": {"objectStorage": {"uri": "oci://code@mytenancy/jars"}},
            "entrypoint": "main.jar",
            "className": "org.example.Main",
            "parameters": [{"name": "n", "value": "3"}],
        },
        args=["${n}", "${other}", "$(A)"],
        env=[{"name": "A", "value": "a"}],
        results=["count"],
    )
    document, done = run(tmp_path, "export", job)
    runtime = document["spec"]["runtime"]["spec"]
    assert runtime["scriptPathURI"] == "oci://code@mytenancy/jars/main.jar"
    assert runtime["scriptBucket"] == "oci://code@mytenancy/spark"
    # Neither references nor parameters are filled in by ADS.
    assert runtime["args"] == ["3", "${other}", "a"]
    for told in ("type", "poolName", "applicationLogConfig"):
        assert f"spec.infrastructure.dataFlow.{told}: ADS can't say this" in done.stderr
    for told in ("className: ADS can't say this", "parameters: ADS has none", "spec.results"):
        assert told in done.stderr
    assert "artifactBucketUri" not in done.stderr


def test_a_session_has_no_code_which_ads_needs(tmp_path: Path) -> None:
    job = manifests.spark_job(
        machines={"type": "SESSION", "idleTimeoutInMinutes": 30}, code={"source": None}
    )
    document, done = run(tmp_path, "export", job)
    assert "scriptPathURI" not in document["spec"]["runtime"]["spec"]
    assert "spec.runtime.spark.source: is missing, and ADS needs one" in done.stderr
    assert "idleTimeoutInMinutes: ADS can't say this" in done.stderr


TEXTS = st.text("AB $(){}/", max_size=8)
NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)
SIZES = st.fixed_dictionaries({"ocpus": st.just(2.0), "memoryInGBs": st.sampled_from([16.0, 32.0])})
BUCKETS = st.sampled_from(["oci://a@mytenancy", "oci://b@mytenancy/prefix/"])


@st.composite
def spark_jobs(draw: st.DrawFn) -> Spec:
    """Return a manifest that says only what ADS can say."""
    executors = draw(st.none() | SIZES)
    machines: Spec = {
        "language": draw(st.sampled_from(["PYTHON", "SQL"])),
        "driverShapeConfig": E4,
        "executorShape": None if executors is None else "VM.Standard.E4.Flex",
        "executorShapeConfig": executors,
        "numExecutors": draw(st.integers(1, 4)),
        "dynamicAllocation": draw(
            st.none() | st.just({"minExecutors": 1, "maxExecutors": 3}),
        ),
        "sparkConfiguration": draw(
            st.dictionaries(
                st.sampled_from(["spark.a", "spark.dynamicAllocation.enabled", "spark.b.c"]),
                TEXTS,
            )
            | st.just({"dataflow.auth": "delegation_token"})
        )
        or None,
        "poolId": draw(st.none() | st.just("ocid1.dataflowpool.oc1.iad.a")),
        "logsBucketUri": draw(st.none() | BUCKETS),
        "warehouseBucketUri": draw(st.none() | BUCKETS),
        "artifactBucketUri": draw(st.none() | BUCKETS),
    }
    if machines["dynamicAllocation"]:
        # It is the field that says it, not a property.
        (machines["sparkConfiguration"] or {}).pop("spark.dynamicAllocation.enabled", None)
        machines["sparkConfiguration"] = machines["sparkConfiguration"] or None
    conda = st.just({"type": "published", "uri": "oci://envs@mytenancy/spark/1.0"})
    code = {
        "source": {"objectStorage": {"uri": STORED}},
        "archiveUri": draw(st.none() | st.just("oci://code@mytenancy/libs.zip")),
        "conda": draw(st.none() | conda),
    }
    variables = draw(st.dictionaries(NAMES, TEXTS, max_size=3))
    more: Spec = {
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "args": draw(st.lists(TEXTS, max_size=3)),
        "freeformTags": draw(st.just({}) | st.just({"team": "a"})),
    }
    return manifests.spark_job(
        machines=machines, code=code, **{k: value for k, value in more.items() if value}
    )


@settings(deadline=None)
@given(spark_jobs())
def test_a_manifest_comes_back_from_ads_as_it_was(job: Spec) -> None:
    def again(document: Spec) -> Spec:
        remarks: list[str] = []
        back = imported(exported(document, Path("unused"), remarks), Path("unused"), remarks)
        assert remarks == []
        return back

    # References are filled in on the way, and what is no reference is written so from then on.
    once = again(job)
    spec_of(once)
    assert once["spec"]["infrastructure"] == job["spec"]["infrastructure"]
    assert once["spec"]["runtime"] == job["spec"]["runtime"]
    assert again(once) == once
