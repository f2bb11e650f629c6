"""Read and write YAML, and say on which line each value stands: the only door to PyYAML.

What counts as a number, a boolean or nothing is decided as YAML 1.2's core schema does. By the older
rules, which PyYAML follows, the key `on` is a boolean, the time `2:30` the number 150, and a date an object.
Of those rules only merge keys are kept (`<<: *defaults`), which people know from other files.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent
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

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Let an alias stand on its own line, whatever the line of what it names."""
        alias = self.current_event if self.check_event(AliasEvent) else None
        node = super().compose_node(parent, index)
        if alias is not None and node is not None:
            node = copy(node)
            node.start_mark = alias.start_mark
        return node


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

_MERGE = "tag:yaml.org,2002:merge"
_SCALARS = {
    _MERGE: (r"<<", ["<"]),
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "tag:yaml.org,2002:int": (r"[-+]?[0-9]+", list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
for _tag, (_pattern, _first) in _SCALARS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str | bytes) -> Document:
    """Read one document; raise `YamlError` where it is none, or says something twice."""
    if len(text) > MOST_BYTES:
        raise YamlError(f"the file is over {MOST_BYTES} bytes, which is the limit", 1)
    text = text if isinstance(text, str) else _decoded(text)
    return _Reader().document(_root(text))


def _root(text: str) -> Node | None:
    """Return the node that a document is; none where the text holds nothing."""
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(" ".join(filter(None, (error.context, error.problem))), mark.line + 1 if mark else 1) from error
    except yaml.reader.ReaderError as error:
        why = f"the character U+{error.character:04X} cannot stand in YAML"
        raise YamlError(why, text.count("\n", 0, error.position) + 1) from error
    except (ValueError, OverflowError) as error:
        line = loader.line + 1 if loader is not None else 1
        raise YamlError("an escape beyond \\U0010FFFF names no character", line) from error
    except RecursionError as error:
        raise YamlError("nested too deep", 1) from error
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(value: Any) -> str:
    """Return the text of plain values: fields in the order given, the same bytes for the same values."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        why = f"not in {encoding.upper()}: {error.reason} at byte {error.start}"
        raise YamlError(why, content.count(b"\n", 0, error.start) + 1) from error


class _Reader:
    """Turn the nodes of one document into plain values."""

    def __init__(self) -> None:
        self._lines: dict[Path, int] = {}
        self._visited = 0

    def document(self, node: Node | None) -> Document:
        if node is None:
            return Document(None)
        value = self._value(node, ())
        return Document(value, self._lines)

    def _value(self, node: Node, path: Path) -> Any:
        self._lines[path] = self._visit(node, len(path))
        if isinstance(node, MappingNode) and node.tag.endswith(":map"):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag.endswith(":seq"):
            return [self._value(item, (*path, number)) for number, item in enumerate(node.value)]
        return self._scalar(node)

    def _visit(self, node: Node, depth: int) -> int:
        """Count a node, and return its line; aliases let a short text have any number of nodes."""
        self._visited += 1
        line = _line(node)
        if self._visited > MOST_VALUES or depth > _DEEPEST:
            raise YamlError("too many values, or nested too deep", line)
        return line

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (key, value) in self._fields(node, len(path)).items():
            found[name] = self._value(value, (*path, name))
            self._lines[(*path, name)] = _line(key)
        return found

    def _fields(self, node: MappingNode, depth: int) -> dict[str, tuple[Node, Node]]:
        """Return the fields of a mapping by their names: its own, then what it merges under names that it lacks."""
        fields: dict[str, tuple[Node, Node]] = {}
        merges: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise YamlError("the name of a field must be a text", _line(key))
            name, alike = str(key.value), merges if key.tag == _MERGE else fields
            if name in alike:
                text = f"the field '{name}' stands here twice, first on line {_line(alike[name][0])}"
                raise YamlError(text, _line(key))
            alike[name] = (key, value)
        for _, merged in merges.values():
            for source in _mappings(merged):
                self._visit(source, depth)
                for name, field_ in self._fields(source, depth + 1).items():
                    self._visit(source, depth)
                    fields.setdefault(name, field_)
        return fields

    def _scalar(self, node: Node) -> Any:
        line = _line(node)
        if isinstance(node, ScalarNode) and _is_spelled_right(node):
            match node.tag.rpartition(":")[2]:
                case "str" | "merge":
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


def _is_spelled_right(node: ScalarNode) -> bool:
    """Whether a value is written as its kind is, which one whose kind is named need not be: `!!int many`."""
    pattern, _ = _SCALARS.get(node.tag, (None, None))
    return pattern is None or re.fullmatch(pattern, node.value) is not None


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _mappings(merged: Node) -> list[MappingNode]:
    """Return what a merge key names: a mapping, or each of a list of them."""
    sources: list[Any] = merged.value if isinstance(merged, SequenceNode) else [merged]
    for source in sources:
        if not isinstance(source, MappingNode) or not source.tag.endswith(":map"):
            raise YamlError("'<<' merges a mapping, or a list of mappings, and this is none", _line(source))
    return sources


def _whole(text: str, line: int) -> int:
    if len(text) > 30:
        raise YamlError("a number with so many digits is not taken here: write it as a text", line)
    return int(text)
