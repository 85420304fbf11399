"""The modules of the plugin payments, for tests that need no server: they are loaded as the registry loads them."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "plugins/payments"

if "housecall.plugins.payments" not in sys.modules:
    package = types.ModuleType("housecall.plugins.payments")
    package.__path__ = [str(FOLDER)]
    sys.modules["housecall.plugins.payments"] = package

accounts, books, check, currencies, flow, gateway, states, terms = (
    importlib.import_module(f"housecall.plugins.payments.{name}")
    for name in ("accounts", "books", "check", "currencies", "flow", "gateway", "states", "terms")
)
