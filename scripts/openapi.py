"""Print the console API's ``openapi.json``, made of the route table; no server runs.

With ``--schemas`` its paths are left out: the console's types are made of the schemas alone.
"""

from __future__ import annotations

import json
import sys
from inspect import signature
from unittest.mock import Mock

from handoff.console.api.application import ConsoleApi


def main() -> None:
    """Build the API on stand-ins: its routes are told, none is called."""
    given = {name: Mock() for name in signature(ConsoleApi).parameters}
    document = ConsoleApi(**{**given, "version": "0"}).document()
    if "--schemas" in sys.argv:
        document = {**document, "paths": {}}
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    main()
