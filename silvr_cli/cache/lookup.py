"""Full-text search over the lines of all cached videos."""

from __future__ import annotations

from typing import Any

from ..relevance import UNSPACED, WORD, pairs
from .store import Store

SELECT = (
    "SELECT lines.video, videos.name, start, end, kind, lines.text, {score}"
    " FROM {table} JOIN videos ON videos.id = lines.video"
    " WHERE ({found}) AND (? IS NULL OR lines.video = ?) ORDER BY 7 DESC, start LIMIT ?"
)
MATCHED = "lines_fts JOIN lines ON lines.id = lines_fts.rowid"
# SQLite allows an expression a thousand levels.
MOST_PAIRS = 100


def search(
    store: Store, query: str, limit: int = 20, video: str | None = None
) -> list[tuple[Any, ...]]:
    """(video id, name, start, end, kind, text, score) of the best lines, by FTS5's BM25; where the
    query's script has no spaces between words, by how many pairs of its letters they have.
    """
    if UNSPACED.search(query):
        told = WORD.findall(query.casefold())
        parts = [*dict.fromkeys(pair for word in told for pair in pairs(word))][:MOST_PAIRS]
        has = ["(lines.text LIKE ?)"] * len(parts)
        likes = [f"%{part}%" for part in parts]
        sql = SELECT.format(score=" + ".join(has), table="lines", found=" OR ".join(has))
        return store.rows(sql, *likes, *likes, video, video, limit)
    words = " OR ".join('"' + w.replace('"', '""') + '"' for w in query.split())
    if not words:
        return []
    sql = SELECT.format(score="-bm25(lines_fts)", table=MATCHED, found="lines_fts MATCH ?")
    return store.rows(sql, words, video, video, limit)
