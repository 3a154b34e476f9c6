"""The driver as a process of its own, in a Python that has nothing but its standard library."""

import ast
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest
from tests.unit.artifact.driver_process import SECONDS, DriverFolder


def test_runs_a_python_script_with_its_arguments(tmp_path: Path) -> None:
    driver = DriverFolder(tmp_path, {"main.py": "import sys; print(sys.argv[1:], __name__)"})
    ended = driver.run("--rate", "0.1", "two words")
    assert ended.code == 0
    assert ended.output == "['--rate', '0.1', 'two words'] __main__\n"
    assert ended.errors == ""


def test_runs_a_shell_script_with_its_arguments(tmp_path: Path) -> None:
    driver = DriverFolder(tmp_path, {"main.sh": 'echo "$# $2"; pwd'})
    ended = driver.run("a", "b c")
    assert ended.output.splitlines() == ["2 b c", str(driver.code)]
    assert ended.code == 0


def test_a_script_imports_the_files_beside_it(tmp_path: Path) -> None:
    files = {"steps/main.py": "import part; print(part.WORD)", "steps/part.py": "WORD = 'ready'"}
    driver = DriverFolder(tmp_path, files, script={"entrypoint": "steps/main.py"})
    assert driver.run().output == "ready\n"


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("main.py", "pass", 0),
        ("main.py", "raise SystemExit(3)", 3),
        ("main.py", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("main.py", "import os; os.abort()", 134),
        ("main.py", "def broken(", 1),
        ("main.sh", "exit 3", 3),
        ("main.sh", "no-such-command", 127),
    ],
)
def test_ends_with_the_exit_code_of_the_code(
    tmp_path: Path, name: str, code: str, expected: int
) -> None:
    assert DriverFolder(tmp_path, {name: code}).run().code == expected


def test_a_syntax_error_is_shown_with_its_line(tmp_path: Path) -> None:
    ended = DriverFolder(tmp_path, {"main.py": "x = 1\ndef broken(\n"}).run()
    assert ended.code == 1
    assert "SyntaxError" in ended.errors
    assert "line 2" in ended.errors


def test_output_and_errors_pass_through_as_they_are(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.stdout.buffer.write(b'caf\\xe9\\r\\n' + 'größe ✓'.encode() + b'\\n\\nno newline')\n"
        "print('oops', file=sys.stderr)\n"
    )
    driver = DriverFolder(tmp_path, {"main.py": code})
    with driver.started() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        with open(process.stdout.fileno(), "rb", closefd=False) as raw:
            assert raw.read() == b"caf\xe9\r\n" + "größe ✓".encode() + b"\n\nno newline"
        assert process.stderr.read() == "oops\n"


def test_output_is_seen_at_once_even_without_the_end_of_the_line(tmp_path: Path) -> None:
    code = "import signal, sys; sys.stdout.write('10 %\\r'); signal.pause()"
    with DriverFolder(tmp_path, {"main.py": code}).started() as process:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        assert ready
        assert os.read(process.stdout.fileno(), 100) == b"10 %\r"


# What is told to it from outside


def _until(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"


def test_sigterm_reaches_the_code_which_may_end_as_it_likes(tmp_path: Path) -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saving'), sys.exit(9)))\n"
        "print('ready')\n"
        "signal.pause()\n"
    )
    with DriverFolder(tmp_path, {"main.py": code}).started() as process:
        _until(process, "ready")
        process.send_signal(signal.SIGTERM)
        _until(process, "saving")
        assert process.wait(SECONDS) == 9


def test_code_that_sigterm_ends_gives_143(tmp_path: Path) -> None:
    code = "import signal; print('ready'); signal.pause()"
    with DriverFolder(tmp_path, {"main.py": code}).started() as process:
        _until(process, "ready")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 128 + signal.SIGTERM


def test_sigterm_reaches_what_a_shell_script_runs(tmp_path: Path) -> None:
    work = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saving', file=sys.stderr), sys.exit()))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    files = {"main.sh": 'trap "exit 5" TERM\npython3 work.py\n', "work.py": work}
    driver = DriverFolder(tmp_path, files, script={"entrypoint": "main.sh"})
    environment = {"PATH": os.environ["PATH"]}
    with driver.started(environment=environment) as process:
        _until(process, "ready")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 5
        assert process.stderr is not None
        assert process.stderr.read() == "saving\n"


def test_ends_with_the_code_though_something_in_the_background_keeps_the_output_open(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"exec 3<{gate}\ncat <&3 2>/dev/null &\necho done\nexit 4\n"
    driver = DriverFolder(tmp_path / "job", {"main.sh": script})
    with _open_gate(gate), driver.started() as process:
        _until(process, "done")
        assert process.wait(SECONDS) == 4


def test_ends_with_the_code_though_something_in_the_background_prints_for_ever(
    tmp_path: Path,
) -> None:
    driver = DriverFolder(tmp_path, {"main.sh": "yes &\necho done >&2\nexit 4\n"})
    ended = driver.run(environment={"PATH": os.environ["PATH"]})
    assert (ended.code, ended.errors) == (4, "done\n")


@contextmanager
def _open_gate(gate: Path) -> Iterator[None]:
    """Let whoever reads from the gate wait until the end."""
    descriptor = os.open(gate, os.O_RDWR)
    try:
        yield
    finally:
        os.close(descriptor)


def test_all_that_was_printed_before_the_end_is_passed_on(tmp_path: Path) -> None:
    code = "import os, sys; sys.stdout.write('x' * 3_000_000 + '\\nend'); sys.stdout.flush(); os._exit(0)"
    ended = DriverFolder(tmp_path, {"main.py": code}).run()
    assert len(ended.output) == 3_000_004
    assert ended.output.endswith("\nend")


# The python runtime


def test_python_code_finds_its_modules_from_root_working_directory_and_python_path(
    tmp_path: Path,
) -> None:
    files = {
        "train.py": (
            "import os, sys, top, here, there\n"
            "print(top.NAME, here.NAME, there.NAME)\n"
            "print(os.getcwd(), sys.argv, __name__)\n"
        ),
        "top.py": "NAME = 'top'",
        "work/here.py": "NAME = 'here'",
        "lib/deep/there.py": "NAME = 'there'",
    }
    driver = DriverFolder(
        tmp_path,
        files,
        python={"entrypoint": "train.py", "working_dir": "work", "python_path": ["lib/deep"]},
    )
    ended = driver.run("--epochs", "3")
    assert ended.output.splitlines() == [
        "top here there",
        f"{driver.code / 'work'} ['{driver.code / 'train.py'}', '--epochs', '3'] __main__",
    ]
    assert ended.code == 0


def test_the_driver_itself_is_no_module_of_the_code(tmp_path: Path) -> None:
    driver = DriverFolder(tmp_path, {"main.py": "import ocijobs_driver"}, python={})
    assert "No module named 'ocijobs_driver'" in driver.run().errors


def test_an_entry_function_gets_keywords_and_positional_arguments_as_text(tmp_path: Path) -> None:
    code = (
        "def train(*args, **options):\n"
        "    print(args, options)\n"
        "if __name__ == '__main__':\n"
        "    print('as a program')\n"
    )
    driver = DriverFolder(tmp_path, {"main.py": code}, python={"entry_function": "train"})
    ended = driver.run("data.csv", "--rate", "0.10", "--verbose", "--depth=3", "more", "--last")
    assert ended.output == (
        "('data.csv', 'more') {'rate': '0.10', 'verbose': '', 'depth': '3', 'last': ''}\n"
    )
    assert ended.code == 0


def test_a_negative_number_is_the_value_of_a_keyword(tmp_path: Path) -> None:
    code = "def train(shift): print(shift)"
    driver = DriverFolder(tmp_path, {"main.py": code}, python={"entry_function": "train"})
    assert driver.run("--shift", "-1").output == "-1\n"


def test_an_entry_function_may_end_the_run(tmp_path: Path) -> None:
    code = "import sys\ndef train(): sys.exit(3)"
    driver = DriverFolder(tmp_path, {"main.py": code}, python={"entry_function": "train"})
    assert driver.run().code == 3


def test_an_entry_function_that_is_not_there_is_named(tmp_path: Path) -> None:
    driver = DriverFolder(tmp_path, {"main.py": "train = 1"}, python={"entry_function": "train"})
    ended = driver.run()
    assert ended.errors == "ocijobs: main.py has no function train\n"
    assert ended.code == 1


_PARALLEL = """
import multiprocessing, pickle, sys

class Model:
    pass

def square(number):
    return number * number

def train():
    pickle.dumps(Model())
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(pool.map(square, [1, 2, 3]))
"""


@pytest.mark.parametrize("how", ["fork", "spawn"])
@pytest.mark.parametrize("function", ["train", None])
def test_the_codes_own_classes_and_functions_can_be_pickled(
    tmp_path: Path, how: str, function: str | None
) -> None:
    code = _PARALLEL.replace("sys.argv[1]", repr(how))
    if function is None:
        code += "\nif __name__ == '__main__':\n    train()\n"
    driver = DriverFolder(tmp_path, {"main.py": code}, python={"entry_function": function})
    ended = driver.run()
    assert ended.errors == ""
    assert ended.output == "[1, 4, 9]\n"


# What it must not need


def test_its_syntax_is_that_of_python_3_8() -> None:
    drivers = resources.files("ocijobs.artifact").joinpath("drivers")
    texts = [file.read_text(encoding="utf-8") for file in drivers.iterdir() if ".py" in file.name]
    assert len(texts) > 5
    for text in texts:
        ast.parse(text, feature_version=(3, 8))


def test_outputs_without_the_package_oci_are_refused_before_the_code_starts(
    tmp_path: Path,
) -> None:
    driver = DriverFolder(
        tmp_path, {"main.py": "print('started')"}, outputs={"uri": "oci://models@team/x"}
    )
    ended = driver.run()
    assert ended.code == 78
    assert ended.output == ""
    assert "spec.outputs needs the Python package oci" in ended.errors
