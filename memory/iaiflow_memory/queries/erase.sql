-- name: erase_begin
-- What is to be erased: memories by id, rows, and episodes.
CREATE OR REPLACE TEMP TABLE gone AS SELECT DISTINCT id FROM items JOIN scopes AS s USING (scope)
 WHERE (len($ids) = 0 OR list_contains($ids::VARCHAR[], id))
   AND ($subject = '' OR subject = $subject)
   AND ($project = '' OR s.project = $project) AND ($agent = '' OR s.agent = $agent)
   AND ($user = '' OR s.user_ = $user) AND ($thread = '' OR s.thread = $thread);

-- name: erase_begin_episodes
-- Episodes of a scope, whatever became of them.
CREATE OR REPLACE TEMP TABLE untold AS SELECT seq FROM episodes JOIN scopes AS s USING (scope)
 WHERE $is_scope
   AND ($project = '' OR s.project = $project) AND ($agent = '' OR s.agent = $agent)
   AND ($user = '' OR s.user_ = $user) AND ($thread = '' OR s.thread = $thread);

-- name: erase_sources
-- Episodes that hold the text of these memories; all from which they were drawn, if so asked.
INSERT INTO untold
SELECT DISTINCT p.episode FROM provenance AS p
  JOIN items AS i ON i.n = p.item SEMI JOIN gone ON gone.id = i.id
 WHERE p.episode > 0
   AND ($is_wide OR p.method IN ('verbatim', 'same', 'supersede', 'undo'))
   AND p.episode NOT IN (SELECT seq FROM untold);

-- name: erase_drawn
-- Memories that were made or drawn from these episodes.
INSERT INTO gone
SELECT DISTINCT i.id FROM provenance AS p
  JOIN items AS i ON i.n = p.item SEMI JOIN untold ON untold.seq = p.episode
 WHERE p.method NOT IN ('same', 'confirmed') AND i.id NOT IN (SELECT id FROM gone);

-- name: erase_counts
-- How many memories and episodes are to be erased.
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM untold);

-- name: erase_rows
-- The rows of these memories.
CREATE OR REPLACE TEMP TABLE gone_rows AS
SELECT n, scope, doclen, recorded_to = 'infinity' AS stands FROM items SEMI JOIN gone USING (id);

-- name: erase_rows_count
SELECT count(*) FROM gone_rows;

-- name: erase_totals
-- Count the texts and terms that stand in each scope.
UPDATE totals SET docs = totals.docs - less.docs, length = totals.length - less.length
  FROM (SELECT scope, count(*) AS docs, sum(doclen)::BIGINT AS length FROM gone_rows
         WHERE stands GROUP BY scope) AS less
 WHERE totals.scope = less.scope;

-- name: erase_df
-- Count in how many texts that stand each term is.
UPDATE terms SET df = df - less.texts
  FROM (SELECT term, count(*)::INTEGER AS texts FROM postings
          SEMI JOIN (SELECT n FROM gone_rows WHERE stands) USING (n) GROUP BY term) AS less
 WHERE terms.term_id = less.term;

-- name: erase_provenance
DELETE FROM provenance
 WHERE item IN (SELECT n FROM gone_rows) OR episode IN (SELECT seq FROM untold);

-- name: erase_origin
-- Versions that stay do not name an episode that goes.
UPDATE items SET episode = 0
 WHERE episode IN (SELECT seq FROM untold) AND n NOT IN (SELECT n FROM gone_rows);

-- name: erase_episodes
DELETE FROM episodes WHERE seq IN (SELECT seq FROM untold);

-- name: erase_terms
-- Words that no text has any more.
DELETE FROM terms WHERE term_id NOT IN (SELECT term FROM postings);

-- name: erase_scopes
-- Scopes that hold nothing any more.
DELETE FROM scopes
 WHERE scope NOT IN (SELECT scope FROM items) AND scope NOT IN (SELECT scope FROM episodes);

-- name: erase_scope_totals
DELETE FROM totals WHERE scope NOT IN (SELECT scope FROM scopes);

-- name: erase_mark
-- The bytes are there until the file is written anew.
INSERT OR REPLACE INTO meta VALUES ('erasing', '1');

-- name: erasing
-- Whether rows are gone, and the file is not yet written anew.
SELECT 1 FROM meta WHERE key = 'erasing';

-- name: numbers_keep
-- A number that was given is not given again.
INSERT OR REPLACE INTO meta VALUES ('floor.' || ?, ?);
