"""Checks JSON documents against the schemas in docs/schemas.

usage: valid.py [--lines] SCHEMA [FILE [SCHEMA FILE]...]

SCHEMA is a name such as send-1, or the path of a schema. Without FILE the document comes from standard input. A FILE is one document and
nothing else; with --lines it is one a line. All documents are looked at; what is wrong is said of each.
"""

import json
import sys
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@cache
def validator(name):
    path = Path(name)
    if not path.is_file():
        path = SCHEMAS / f"{name.removesuffix('.json')}.json"
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"], f"{path}: $schema"
    return Draft202012Validator(schema)


def members(pairs):
    """The members of an object, each of which must be there once."""
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a member twice: {names}"
    return dict(pairs)


def no_number(text):
    raise ValueError(f"{text} is no number of JSON")


def problems(schema, text, lines):
    texts = text.splitlines() if lines else [text]
    if not texts:
        yield "there is no document"
    for one in texts:
        try:
            document = json.loads(one, object_pairs_hook=members, parse_constant=no_number)
        except (ValueError, AssertionError) as error:
            yield f"not one JSON document: {error}: {one!r}"
            continue
        if isinstance(document, dict) and "format" in document and next(iter(document)) != "format":
            yield f"'format' is not the first member: {one!r}"
        for error in validator(schema).iter_errors(document):
            where = "/".join(str(part) for part in error.absolute_path) or "the document"
            yield f"{where}: {error.message}"


def main(*args):
    lines = args[:1] == ("--lines",)
    args = args[lines:]
    if len(args) == 1:
        pairs = [(args[0], "standard input", sys.stdin.read())]
    else:
        assert args and len(args) % 2 == 0, __doc__
        pairs = [(schema, file, Path(file).read_text()) for schema, file in zip(args[::2], args[1::2])]
    found = [f"{name} against {schema}: {problem}" for schema, name, text in pairs for problem in problems(schema, text, lines)]
    sys.exit("\n".join(found) or None)


main(*sys.argv[1:])
