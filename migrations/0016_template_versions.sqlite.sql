-- Which version of its template each container has, to ask for those that are behind.
ALTER TABLE containers ADD COLUMN template_version TEXT;
UPDATE containers SET template_version = json_extract(document, '$.template.hash');
CREATE INDEX containers_template_version ON containers (template, template_version);
