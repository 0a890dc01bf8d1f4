"""What every command shares: instance, `--json`, `--lang`, and problems as exit status 1."""

import json
import sys
from collections.abc import Callable
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import click

from soinbox_web.problems import SoinboxError
from soinbox_web.runtime import Runtime, build
from soinbox_web.settings import Settings, from_environment
from soinbox_web.texts import LANGUAGES, Translate, translator


class Console:
    """What a command is handed: the runtime, the translator, and one way to print."""

    def __init__(self, instance: Path | None, as_json: bool, language: str) -> None:
        self._instance = instance
        self._as_json = as_json
        self.translate: Translate = translator(language)

    def settings(self, **overrides: Any) -> Settings:
        return from_environment(instance=self._instance, **overrides)

    @cached_property
    def runtime(self) -> Runtime:
        return build(self.settings())

    def words(self, text: str, **facts: object) -> str:
        """A text in the language that was asked for, with its facts."""
        return self.translate(text).format_map(facts)

    def say(self, line: str) -> None:
        """A line for a person; never on standard output when that carries JSON."""
        click.echo(line, err=self._as_json)

    def show(self, document: Any, text: str) -> None:
        """The JSON document, or the text for a person."""
        click.echo(json.dumps(document, ensure_ascii=False, indent=2) if self._as_json else text)

    def report(self, document: dict[str, Any], *, failed: bool | None = None) -> None:
        """A document that may carry a problem; exit status 1 when it does (or when `failed` says so)."""
        self.show(document, _lines(document))
        if failed if failed is not None else document.get("problem"):
            sys.exit(1)

    def close(self) -> None:
        if "runtime" in self.__dict__:
            self.runtime.close()


Registrar = Callable[[Callable[..., None]], click.Command]


def soinbox_command(group: click.Group, name: str) -> Registrar:
    """Register a command that takes a Console first; a SoinboxError is printed and the exit status is 1."""

    def register(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(instance_dir: Path | None = None, *, as_json: bool, lang: str, **options: Any) -> None:
            console = Console(instance_dir, as_json, lang)
            try:
                function(console, **options)
            except SoinboxError as error:
                problem = error.problem.as_json(console.translate)
                console.show({**problem, "problem": problem}, _problem_lines(problem))
                sys.exit(1)
            finally:
                console.close()

        folder = click.Path(file_okay=False, path_type=Path)
        run = click.option("--instance", "instance_dir", type=folder, help="Folder of the instance.")(run)
        run = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(run)
        run = click.option(
            "--lang", type=click.Choice(LANGUAGES), default="en", help="Language of the texts."
        )(run)
        return group.command(name=name)(run)

    return register


def text_of_stdin() -> str:
    """The secret: one line of standard input, without its line end."""
    return sys.stdin.readline().rstrip("\r\n")


def _lines(document: dict[str, Any]) -> str:
    lines = []
    for key, value in document.items():
        if key == "stages":
            lines += [
                f"  {'ok' if s['ok'] else '--'} {s['side']} {s['stage']} {s['detail']} ({s['ms']} ms)"
                for s in value
            ]
        elif key == "candidates":
            lines += [
                f"  {c['protocol']} {c['host']}:{c['port']} {c['security']} ({c['source']}, {c['score']})"
                for c in value
            ]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *("  " + "  ".join(str(v) for v in item.values()) for item in value)]
        elif isinstance(value, dict) and "code" in value:
            lines.append(_problem_lines(value))
        elif value not in (None, [], ""):
            lines.append(f"{key}: {value}")
    return "\n".join(lines)


def _problem_lines(problem: dict[str, Any]) -> str:
    quoted = f"\n  “{problem['evidence']}”" if problem["evidence"] else ""
    return f"{problem['title']} [{problem['code']}]\n{problem['cause']}{quoted}\n→ {problem['remedy']}"
