"""Find commands that mean the same without a shell: a program and its arguments, in words that no shell changes."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Za-z0-9_./:,@%+=-]+(?:[ \t]+[A-Za-z0-9_./:,@%+=-]+)*")

_RESERVED = "case coproc do done elif else esac fi for function if in namespace select then time until while"
_BUILT_IN = """
. : alias bg bind break builtin caller cd chdir command compgen complete compopt continue declare dirs disown echo
enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile newgrp popd
print printf pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type
typeset ulimit umask unalias unset wait whence
"""
_OF_THE_SHELL = frozenset(f"{_RESERVED} {_BUILT_IN}".split())
"""What POSIX, dash, bash, busybox or ksh carries out itself."""


def plain_words(command: str) -> list[str] | None:
    """Return the words of a command that a POSIX shell would take as they stand, the first one being a program.

    None for all others: with quotes, variables, patterns, more than one command, words of the shell's own.
    """
    text = command.strip(" \t\n")
    if not _WORDS.fullmatch(text):
        return None
    words = text.split()
    name = words[0]
    return None if "=" in name or name in _OF_THE_SHELL else words
