-- The line that an operation stands in, by its key: who gives back a place finds who is next.
ALTER TABLE operations ADD COLUMN line TEXT;
CREATE INDEX operations_line ON operations (line, created_at, id) WHERE line IS NOT NULL;
