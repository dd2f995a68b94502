"""Reports: tables for the terminal, JSON, CSV and LaTeX, and a page."""
