"""Reports: tables for the terminal, JSON, CSV and LaTeX, and a page."""

from .files import write_report
from .plain import plain
from .terminal import view

__all__ = ["plain", "view", "write_report"]
