-- name: numbers_floor
-- The highest numbers that were given to rows which are erased now.
SELECT substr(key, 7), value::BIGINT FROM meta WHERE starts_with(key, 'floor.');

-- name: terms_find
-- The numbers of the terms that there are.
SELECT term, term_id FROM terms WHERE list_contains(?::VARCHAR[], term);

-- name: terms_all
-- The numbers of all terms.
SELECT term, term_id FROM terms;

-- name: terms_put
-- New terms.
INSERT INTO terms SELECT unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[]);

-- name: terms_count
-- More texts have these terms.
UPDATE terms SET df = df + more.texts
  FROM (SELECT unnest(?::INTEGER[]) AS term_id, unnest(?::INTEGER[]) AS texts) AS more
 WHERE terms.term_id = more.term_id;

-- name: terms_uncount
-- These texts have their terms no longer.
UPDATE terms SET df = df - less.texts
  FROM (SELECT term, count(*)::INTEGER AS texts FROM postings
         WHERE n BETWEEN $first AND $last AND list_contains($ns::BIGINT[], n) GROUP BY term) AS less
 WHERE terms.term_id = less.term;

-- name: postings_put
-- Which text has which term how often.
INSERT INTO postings SELECT unnest(?::INTEGER[]), unnest(?::BIGINT[]), unnest(?::USMALLINT[]);

-- name: postings_sorted_to
-- The row of the last memory whose postings are sorted by term.
SELECT value FROM meta WHERE key = 'sorted';

-- name: postings_unsorted
-- How many postings of later memories there are.
SELECT count(*) FROM postings WHERE n > ?;

-- name: postings_run_end
-- The last memory of the next run: postings are appended as memories are.
SELECT max(n) FROM (SELECT n FROM postings WHERE n > $after LIMIT $run);

-- name: postings_run
-- A run, sorted.
CREATE TEMP TABLE run AS
SELECT term, n, tf FROM postings WHERE n BETWEEN $first AND $last ORDER BY term, n;

-- name: postings_clear
DELETE FROM postings WHERE n BETWEEN $first AND $last;

-- name: postings_put_run
INSERT INTO postings SELECT term, n, tf FROM run;

-- name: postings_drop_run
DROP TABLE run;

-- name: postings_sorted
INSERT OR REPLACE INTO meta VALUES ('sorted', ?);
