"""What every HTML answer must be: sound tags, one of each id, named fields, a token in each form."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from justhtml import JustHTML

# The attributes of our pages; two without a blank between them make a name that is not here.
_NAMES = """
    accept accept-charset accesskey action align allow alt async autocapitalize autocomplete autofocus
    bgcolor border cellpadding cellspacing charset checked class color cols colspan content cx cy d
    datetime defer dir disabled download enctype enterkeyhint face fill font-size for form formaction
    formmethod formnovalidate headers height hidden href hreflang http-equiv id inputmode lang list
    loading max maxlength media method min minlength multiple muted name novalidate open pattern
    placeholder points popover popovertarget popovertargetaction preserveaspectratio r readonly
    referrerpolicy rel required role rows rowspan rx ry sandbox scope selected size sizes span spellcheck
    src srcdoc srcset start step stroke stroke-width style summary tabindex target text-anchor title
    transform translate type valign value viewbox width wrap x x1 x2 xlink:href xmlns y y1 y2
"""
ATTRIBUTES = frozenset(_NAMES.split())
PREFIXES = ("aria-", "data-", "hx-")
NAMELESS = ("hidden", "submit", "button", "image", "reset")
_TAG = re.compile(
    r"<[a-zA-Z][^\s/>]*((?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?|\s*/)*)\s*(.?)"
)


@lru_cache(maxsize=4_000)
def faults(text: str) -> tuple[str, ...]:
    """Everything that is wrong with a page or a partial; the frame of a message is judged elsewhere."""
    whole = text.lstrip()[:9].lower() == "<!doctype"
    tree = JustHTML(text, sanitize=False, fragment=not whole, collect_errors=True)
    return (
        *(f"line {error.line}: {error.code}" for error in tree.errors),
        *_fused(text),
        *_names_of_attributes(tree),
        *_ids(tree),
        *_fields(tree, whole),
        *_forms(tree),
    )


def _fused(text: str) -> Iterator[str]:
    """Attributes that no blank separates: the parser reads them, and so hides the mistake."""
    for tag in _TAG.finditer(text):
        if tag[2] not in (">", ""):
            yield f"attributes are not separated: {text[tag.start() : tag.end() + 20]!r}"


def _names_of_attributes(tree: JustHTML) -> Iterator[str]:
    for element in tree.query("*"):
        for name in element.attrs:
            if name.lower() not in ATTRIBUTES and not name.startswith(PREFIXES):
                yield f"<{element.name}> has an attribute {name!r}"


def _ids(tree: JustHTML) -> Iterator[str]:
    counted = Counter(element.attrs["id"] for element in tree.query("[id]"))
    yield from (f"{count} elements have the id {name!r}" for name, count in counted.items() if count > 1)


def _fields(tree: JustHTML, whole: bool) -> Iterator[str]:
    """Each field has a name that is read out; what is pointed at is there."""
    there = {element.attrs["id"] for element in tree.query("[id]")}
    labelled = {element.attrs["for"] for element in tree.query("label[for]")}
    wrapped = {id(field) for label in tree.query("label") for field in label.query("input, select, textarea")}
    for field in tree.query("input, select, textarea"):
        attributes = field.attrs
        named = "aria-label" in attributes or "aria-labelledby" in attributes
        named = named or attributes.get("id") in labelled or id(field) in wrapped
        if attributes.get("type") not in NAMELESS and not named and whole:
            yield f"<{field.name} name={attributes.get('name')!r}> has no label"
    if whole:
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls", "form", "list"):
            for element in tree.query(f"[{name}]"):
                for target in (element.attrs[name] or "").split():
                    if target not in there:
                        yield f"<{element.name}> has {name}={target!r}, and there is no such id"


def _forms(tree: JustHTML) -> Iterator[str]:
    for form in tree.query("form"):
        if (form.attrs.get("method") or "get").lower() == "post" and not form.query("input[name=csrf_token]"):
            yield f"the form to {form.attrs.get('action')!r} has no CSRF field"
