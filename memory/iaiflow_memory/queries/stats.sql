-- name: stats
-- Memories that stand, versions, episodes, terms, postings, scopes.
SELECT (SELECT count(DISTINCT id) FROM items WHERE recorded_to = 'infinity') AS memories,
       (SELECT count(*) FROM items) AS versions,
       (SELECT count(*) FROM episodes) AS episodes,
       (SELECT count(*) FROM terms) AS terms,
       (SELECT count(*) FROM postings) AS postings,
       (SELECT count(*) FROM totals WHERE docs > 0) AS scopes;

-- name: stats_kinds
-- Memories that stand, by kind.
SELECT kind, count(DISTINCT id) FROM items WHERE recorded_to = 'infinity'
 GROUP BY kind ORDER BY kind;
