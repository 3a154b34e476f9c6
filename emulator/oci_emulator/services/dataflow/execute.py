"""``execute``: an application as the arguments of spark-submit."""

import shlex
from collections.abc import Mapping

from oci_emulator.calls.errors import invalid
from oci_emulator.formats.jsontypes import JsonObject

_LISTS: Mapping[str, str] = {
    "--jars": "spark.jars",
    "--files": "spark.files",
    "--file": "spark.files",
    "--py-files": "spark.submit.pyFiles",
}
"""Options -> the property of Spark that says the same."""
_LANGUAGES: Mapping[str, str] = {
    "py": "PYTHON",
    "zip": "PYTHON",
    "egg": "PYTHON",
    "jar": "JAVA",
    "sql": "SQL",
}
DERIVED = ("className", "fileUri", "language", "arguments", "configuration", "parameters")
"""What is taken from ``execute`` alone if there is one, whatever is given beside it."""


def derive(text: str, language: str | None) -> JsonObject:
    """The fields that ``execute`` stands for.

    ``language``: the one that is given beside it; it tells Scala from Java, which a file doesn't.

    Raises:
        ServiceError: 400, it can't be read.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise invalid(f"execute: can't be read: {error}") from None
    derived: JsonObject = {"configuration": {}}
    while words and words[0].startswith("-"):
        option, value, words = _option(words)
        if option == "--class":
            derived["className"] = value
        elif option == "--conf":
            name, equals, setting = value.partition("=")
            if not equals:
                raise invalid(f"execute: --conf needs NAME=VALUE, not {value[:100]!r}")
            derived["configuration"][name] = setting
        elif option in _LISTS:
            derived["configuration"][_LISTS[option]] = value
        else:
            raise invalid(
                f"execute: {option[:100]!r} is none of --class, --conf, {', '.join(_LISTS)}"
            )
    if not words:
        raise invalid("execute: names no main application file")
    derived |= {"fileUri": words[0], "arguments": words[1:]}
    derived["language"] = _language(words[0], language)
    return derived


def _option(words: list[str]) -> tuple[str, str, list[str]]:
    """The first option, its value, and what follows."""
    option, equals, value = words[0].partition("=")
    if equals:
        return option, value, words[1:]
    if len(words) == 1:
        raise invalid(f"execute: {option[:100]} needs a value")
    return option, words[1], words[2:]


def _language(file: str, given: str | None) -> str:
    ending = file.rpartition(".")[2].lower()
    found = _LANGUAGES.get(ending)
    if found is None:
        raise invalid(
            f"execute: the main file must end with one of .{', .'.join(_LANGUAGES)}, not {file[-100:]!r}"
        )
    return given if found == "JAVA" and given in {"JAVA", "SCALA"} else found
