-- A column that no version of the code ever read or wrote, so that workers of the version before may run on: how a
-- record was scored is said by `calibration` in its document.
ALTER TABLE records DROP COLUMN scoring;
