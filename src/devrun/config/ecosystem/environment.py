"""The variables of an app: ``env``, ``env_NAME``, ``port``, and what is kept from it.

From lowest to highest, as PM2 has it: ``env``, ``port``, ``deploy.NAME.env``, ``env_NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping

from devrun.config.ecosystem.app import App, js_text


def app_environment(app: App, env_name: str | None, deployed: object) -> dict[str, str]:
    """Return the variables that a file gives to an app.

    Args:
        env_name: The NAME of ``env_NAME``, or None.
        deployed: What stands behind ``deploy.NAME.env``, or None.
    """
    found: dict[str, str | None] = {}
    found |= _variables(app, "env", app.get("env"))
    port = app.count("port", least=0, most=65535)
    if port:
        found["PORT"] = str(port)
    if env_name is not None:
        found |= _variables(app, f"deploy.{env_name}.env", deployed)
        found |= _variables(app, f"env_{env_name}", app.given.environments.get(env_name))
    return {name: text for name, text in found.items() if text is not None}


def _variables(app: App, attribute: str, given: object) -> dict[str, str | None]:
    """Return variables; None is for one that is null, and so takes away what is beneath it."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        app.warn(f"{attribute} is not an object with names and values, and is not used")
        return {}
    found: dict[str, str | None] = {}
    for name, value in given.items():
        text = _value_text(value)
        if not name or "=" in name or "\0" in f"{name}{text}":
            app.warn(f'{attribute}: "{name}" cannot be a variable, and is left out')
        else:
            found[name] = text
            if text is None:
                app.warn(f"{attribute}: {name} is null, and is left out")
    return found


def _value_text(value: object) -> str | None:
    """Return a variable's value as text: of an object its JSON, of null None."""
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=lambda _: {})
    return None if value is None else js_text(value)


def filtered_names(app: App, own: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of inherited variables that the app is not to see.

    ``filter_env`` is one name, or a list of texts that are in the names.

    Args:
        own: The variables that the file gives to the app; these it keeps.
    """
    given = app.get("filter_env")
    if isinstance(given, str) and given not in ("", "true", "false"):
        names = [name for name in app.environ if name == given]
    elif isinstance(given, list):
        parts = [part for part in app.words("filter_env") if part]
        names = [name for name in app.environ if any(part in name for part in parts)]
    else:
        if app.flag("filter_env", default=False):
            app.warn("filter_env: true has no effect, as in PM2; write a list of parts of names")
        return ()
    return tuple(name for name in names if name not in own)
