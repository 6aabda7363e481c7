-- Lists in the order of what they show, page by page.
CREATE INDEX containers_by_hostname ON containers (hostname COLLATE "C", id);
CREATE INDEX containers_by_lifecycle ON containers (lifecycle COLLATE "C", id);
CREATE INDEX containers_by_updated ON containers (updated_at, id);
CREATE INDEX operations_by_status ON operations (status COLLATE "C", id);
