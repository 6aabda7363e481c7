-- The containers that are to be deleted at a time, for whoever waits for that.
ALTER TABLE containers ADD COLUMN to_delete TEXT;
CREATE INDEX containers_to_delete ON containers (created_at, id) WHERE to_delete = 'yes';
