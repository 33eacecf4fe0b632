-- Memories and episodes are found by a number that stands for their id (ids.key_of): numbers of a
-- million rows are looked through in about a millisecond, texts in a hundred.
ALTER TABLE items ADD COLUMN key UBIGINT;
UPDATE items SET key = md5_number_lower(id);
ALTER TABLE episodes ADD COLUMN key UBIGINT;
UPDATE episodes SET key = md5_number_lower(id);

-- When somebody has asked last for what a model's vectors lack, in seconds since the epoch.
ALTER TABLE models ADD COLUMN used_at DOUBLE;
UPDATE models SET used_at = epoch(get_current_timestamp());
