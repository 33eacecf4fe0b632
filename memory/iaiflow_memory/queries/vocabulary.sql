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
