-- Which operations make a copy that is not there yet: it counts against its account's quota.
ALTER TABLE operations ADD COLUMN making TEXT;
UPDATE operations SET making = pipeline WHERE pipeline IN ('snapshot', 'backup') AND status IN ('queued', 'running');
CREATE INDEX operations_making ON operations (account) WHERE making IS NOT NULL;
