-- Memories and episodes are found by a number that stands for their id (ids.key_of): numbers of a
-- million rows are looked through in about a millisecond, texts in a hundred.
ALTER TABLE items ADD COLUMN key UBIGINT;
UPDATE items SET key = md5_number_lower(id);
ALTER TABLE episodes ADD COLUMN key UBIGINT;
UPDATE episodes SET key = md5_number_lower(id);
