"""A plugin's blueprint may answer below its own address and nothing else."""

from __future__ import annotations

from flask import Blueprint, Flask

#: What a blueprint may put on the whole application; each is a table with the key None for "everywhere".
TABLES = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
    "error_handler_spec",
)


class Reaches(Exception):
    """A blueprint that is more than pages; the text says what it does."""


def check(blueprint: object) -> None:
    """Register it on an empty application and look what has changed there. Raises Reaches."""
    if not isinstance(blueprint, Blueprint):
        raise Reaches(f"blueprints() gave a {type(blueprint).__name__}")
    scratch = Flask("housecall", static_folder=None)
    before = _everywhere(scratch)
    filters = set(scratch.jinja_env.filters) | set(scratch.jinja_env.globals) | set(scratch.jinja_env.tests)
    scratch.register_blueprint(blueprint, url_prefix="/-/scratch", name="scratch")
    for table, count in _everywhere(scratch).items():
        if count != before[table]:
            raise Reaches(f"{blueprint.name} changes the whole application ({table})")
    if (set(scratch.jinja_env.filters) | set(scratch.jinja_env.globals) | set(scratch.jinja_env.tests)) != filters:
        raise Reaches(f"{blueprint.name} changes the templates of the whole application")
    for rule in scratch.url_map.iter_rules():
        if not rule.rule.startswith("/-/scratch/"):
            raise Reaches(f"{blueprint.name} answers at {rule.rule}")


def _everywhere(app: Flask) -> dict[str, str]:
    return {table: repr(getattr(app, table).get(None)) for table in TABLES}
