"""silvr: turn a long video into language, then reason over the language.

Start reading at `silvr_cli.pipeline`.
"""

__version__ = "0.1.0"
