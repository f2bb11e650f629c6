"""Read and write YAML, and say on which line each value stands: the only door to PyYAML.

What counts as a number, a boolean or nothing is decided as YAML 1.2's core schema does. By the older
rules, which PyYAML follows, the key `on` is a boolean, the time `2:30` the number 150, and a date an object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[str | int, ...]
"""Where a value stands inside a document: names of fields and numbers of list items, from the outside in."""

MOST_BYTES = 4 * 1024 * 1024
MOST_VALUES = 200_000
_DEEPEST = 64


class YamlError(ValueError):
    """A text is no YAML, or YAML that is not taken; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values (dict, list, str, int, float, bool, None), and the line of each, counted from 1."""

    value: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Return the line of a value, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """A loader that knows the scalars of YAML 1.2's core schema and no others."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """The same for writing: a text that would be read as something else is quoted."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out each time: files are read by people."""
        return True


def _text(dumper: _Dumper, text: str) -> ScalarNode:
    """Quote what holds a line break of Unicode, which would come back as a blank."""
    style = '"' if any(char in text for char in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)

_SCALARS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)
for _tag, _pattern, _first in _SCALARS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str | bytes) -> Document:
    """Read one document; raise `YamlError` where it is none, or says something twice."""
    if len(text) > MOST_BYTES:
        raise YamlError(f"the file is over {MOST_BYTES} bytes, which is the limit", 1)
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return _Reader(loader).document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(" ".join(filter(None, (error.context, error.problem))), mark.line + 1 if mark else 1) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlError(f"not readable as YAML: {error}", 1) from error
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(value: Any) -> str:
    """Return the text of plain values: fields in the order given, the same bytes for the same values."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


class _Reader:
    """Turn the nodes of one document into plain values."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._lines: dict[Path, int] = {}

    def document(self, node: Node | None) -> Document:
        if node is None:
            return Document(None)
        value = self._value(node, ())
        return Document(value, self._lines)

    def _value(self, node: Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self._lines[path] = line
        if len(self._lines) > MOST_VALUES or len(path) > _DEEPEST:
            raise YamlError("too many values, or nested too deep", line)
        if isinstance(node, MappingNode) and node.tag.endswith(":map"):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag.endswith(":seq"):
            return [self._value(item, (*path, number)) for number, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise YamlError("the name of a field must be a text", line)
            name = str(key.value)
            if name in found:
                raise YamlError(
                    f"the field '{name}' stands here twice, first on line {self._lines[(*path, name)]}", line
                )
            found[name] = self._value(value, (*path, name))
            self._lines[(*path, name)] = line
        return found

    def _scalar(self, node: Node) -> Any:
        line = node.start_mark.line + 1
        match node.tag.rpartition(":")[2]:
            case "str":
                return str(node.value)
            case "null":
                return None
            case "bool":
                return node.value.lower() == "true"
            case "int":
                return _whole(node.value, line)
            case "float":
                return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))
        raise YamlError(f"a value of the kind '{node.tag}' is not taken here: write it as a text", line)


def _whole(text: str, line: int) -> int:
    if len(text) > 30:
        raise YamlError("a number with so many digits is not taken here: write it as a text", line)
    return int(text)
