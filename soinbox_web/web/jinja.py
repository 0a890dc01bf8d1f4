"""Templates, compiled once for each language: what stands fixed in their source is written then."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Flask, current_app, render_template
from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.visitor import NodeTransformer

Functions = Mapping[str, Callable[..., Any]]


class Spoken(Environment):
    """Jinja's environment with an overlay for each language.

    `language` gives that of the page to draw, `functions` what templates call by name in a language. Those
    named in `fixed` are called while a template is compiled, wherever what they are given stands in
    the source: texts, icons and URLs were a fifth of a list's time (measured).
    """

    language: Callable[[], str]
    functions: tuple[Callable[[str], Functions], ...] = ()
    fixed: tuple[str, ...] = ()

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        self._by_language: dict[str, Spoken] = {}
        self._known: Functions = {}

    def spoken(self, language: str) -> "Spoken":
        """The overlay for a language; made when it is first asked for, when all globals are known."""
        found = self._by_language.get(language)
        if found is None:
            found = self.overlay()
            found.globals = dict(self.globals)
            for given in self.functions:
                found.globals |= given(language)
            found._known = {name: cast(Any, found.globals[name]) for name in self.fixed}
            self._by_language[language] = found
        return found

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        return super()._generate(_Folding(self._known).visit(source), name, filename, defer_init)


class _Folding(NodeTransformer):
    """Replaces calls of known functions with constants by what they give."""

    def __init__(self, known: Functions) -> None:
        self._known = known

    def visit_Call(self, call: nodes.Call) -> nodes.Expr:
        self.generic_visit(call)
        function = self._known.get(call.node.name) if isinstance(call.node, nodes.Name) else None
        if function is None or call.dyn_args or call.dyn_kwargs:
            return call
        values = [each.value for each in call.args if isinstance(each, nodes.Const)]
        words = {each.key: each.value.value for each in call.kwargs if isinstance(each.value, nodes.Const)}
        if len(values) < len(call.args) or len(words) < len(call.kwargs):
            return call
        return nodes.Const(function(*values, **words), lineno=call.lineno)


def install(app: Flask) -> None:
    """Before anything else that touches `app.jinja_env`."""
    app.jinja_environment = Spoken  # type: ignore[assignment]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def template(name: str) -> Template:
    """The template in the language of the page."""
    environment = cast(Spoken, current_app.jinja_env)
    return environment.spoken(environment.language()).get_template(name)


def draw(name: str, /, **context: Any) -> str:
    """A page or a part of one in the reader's language."""
    return render_template(template(name), **context)
