"""The tables. A blob is visible only through the `layer` row of a repository."""

VERSION = 3

SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- what a registry as a whole is set to: JSON by name
CREATE TABLE registry_setting (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) WITHOUT ROWID;

CREATE TABLE creation_template (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    prefix TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    PRIMARY KEY (account, region, prefix)
) WITHOUT ROWID;

CREATE TABLE repository (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL,
    mutability TEXT NOT NULL,
    exclusion_filters TEXT NOT NULL,
    scan_on_push INTEGER NOT NULL,
    encryption TEXT NOT NULL,
    policy TEXT,
    lifecycle_policy TEXT,
    lifecycle_ran_at REAL,
    lifecycle_due_at REAL,
    UNIQUE (account, region, name)
);
CREATE INDEX repository_by_lifecycle ON repository (lifecycle_due_at) WHERE lifecycle_due_at IS NOT NULL;

CREATE TABLE resource_tag (
    repository_id INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (repository_id, key)
) WITHOUT ROWID;

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    artifact_media_type TEXT,
    artifact_type TEXT,
    annotations TEXT NOT NULL,
    subject TEXT,
    size INTEGER NOT NULL,
    manifest_size INTEGER NOT NULL,
    pushed_at REAL NOT NULL,
    status TEXT NOT NULL,
    last_pulled_at REAL,
    archived_at REAL,
    activated_at REAL,
    is_orphaned INTEGER NOT NULL DEFAULT 0,
    UNIQUE (repository_id, digest)
);
-- a page of images, in the order of their first push; without it every page sorts the whole repository
CREATE INDEX image_by_repository ON image (repository_id);
CREATE INDEX image_by_subject ON image (repository_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX image_activating ON image (id) WHERE status = 'ACTIVATING';

-- how many images a repository has; to count them for each push would take the longer the more there are
CREATE TABLE image_count (
    repository_id INTEGER PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
    images INTEGER NOT NULL
);
CREATE TRIGGER image_counted AFTER INSERT ON image BEGIN
    INSERT INTO image_count (repository_id, images) VALUES (new.repository_id, 1)
        ON CONFLICT DO UPDATE SET images = images + 1;
END;
CREATE TRIGGER image_uncounted AFTER DELETE ON image BEGIN
    UPDATE image_count SET images = images - 1 WHERE repository_id = old.repository_id;
END;
-- a referrer whose subject was deleted is another thing than one that came before its subject
CREATE TRIGGER image_orphans AFTER DELETE ON image BEGIN
    UPDATE image SET is_orphaned = 1 WHERE repository_id = old.repository_id AND subject = old.digest;
END;

CREATE TABLE manifest (
    image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    body BLOB NOT NULL
);

CREATE TABLE image_tag (
    repository_id INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX image_tag_by_image ON image_tag (image_id, name);

-- what an image is made of: its config and layers, or the images of an index
CREATE TABLE image_part (
    image_id INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL,
    digest TEXT NOT NULL,
    is_image INTEGER NOT NULL,
    PRIMARY KEY (image_id, digest)
) WITHOUT ROWID;
CREATE INDEX image_part_by_digest ON image_part (repository_id, digest, is_image);
CREATE INDEX image_part_listed ON image_part (repository_id, digest) WHERE is_image;

CREATE TABLE layer (
    repository_id INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    uploaded_at REAL NOT NULL,
    PRIMARY KEY (repository_id, digest)
) WITHOUT ROWID;
CREATE INDEX layer_by_digest ON layer (digest);

CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    principal TEXT NOT NULL,
    started_at REAL NOT NULL,
    received INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    first_part_size INTEGER NOT NULL,
    last_part_size INTEGER NOT NULL,
    has_small_part INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_by_repository ON upload (repository_id);

CREATE TABLE scan (
    image_id INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT,
    findings TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    is_announced INTEGER NOT NULL
);

-- the latest preview of a repository's lifecycle policy
CREATE TABLE lifecycle_preview (
    repository_id INTEGER PRIMARY KEY REFERENCES repository (id) ON DELETE CASCADE,
    policy TEXT NOT NULL
);
CREATE TABLE lifecycle_preview_result (
    repository_id INTEGER NOT NULL REFERENCES lifecycle_preview (repository_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    digest TEXT NOT NULL,
    image_tags TEXT NOT NULL,
    pushed_at REAL NOT NULL,
    action TEXT NOT NULL,
    rule_priority INTEGER NOT NULL,
    storage_class TEXT NOT NULL,
    PRIMARY KEY (repository_id, position)
) WITHOUT ROWID;
CREATE INDEX lifecycle_preview_result_by_digest ON lifecycle_preview_result (repository_id, digest);

-- what is to be done in one destination for one image or image tag, and how it went; in the order of their ids. The
-- names are kept, since a repository may go before its work is done
CREATE TABLE replication (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository_name TEXT NOT NULL,
    image_id INTEGER NOT NULL,
    digest TEXT NOT NULL,
    image_tag TEXT NOT NULL,
    action TEXT NOT NULL,
    to_account TEXT NOT NULL,
    to_region TEXT NOT NULL,
    status TEXT NOT NULL,
    failure_code TEXT,
    backfill INTEGER
);
CREATE INDEX replication_by_image ON replication (image_id);
CREATE INDEX replication_under_way ON replication (id) WHERE status = 'IN_PROGRESS';
-- how it went is asked of an image that is there
CREATE TRIGGER image_gone AFTER DELETE ON image BEGIN
    DELETE FROM replication WHERE image_id = old.id AND status <> 'IN_PROGRESS';
END;
CREATE INDEX replication_of_backfill ON replication (backfill) WHERE status = 'IN_PROGRESS';

-- a copy to one destination of what was there before; each image and tag is a row of replication, then a result
CREATE TABLE backfill (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    to_account TEXT NOT NULL,
    to_region TEXT NOT NULL,
    status TEXT NOT NULL,
    failure_code TEXT,
    total INTEGER,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    started_at REAL NOT NULL,
    ended_at REAL
);
CREATE INDEX backfill_by_registry ON backfill (account, region, number);
CREATE INDEX backfill_changing ON backfill (number) WHERE status IN ('PREPARING', 'STOPPING');
CREATE TABLE backfill_result (
    backfill INTEGER NOT NULL REFERENCES backfill (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    repository_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    image_tag TEXT NOT NULL,
    status TEXT NOT NULL,
    failure_code TEXT,
    is_index INTEGER NOT NULL,
    PRIMARY KEY (backfill, position)
) WITHOUT ROWID;
"""
