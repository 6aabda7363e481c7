-- Those of one lifecycle, newest first, without sorting them all.
CREATE INDEX containers_lifecycle_created ON containers (lifecycle, created_at, id);
