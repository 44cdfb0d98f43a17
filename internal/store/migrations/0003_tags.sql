-- +goose Up
-- Times are microseconds since 1970 by the replica's clock, 0 = never.

-- The images that stand in repositories, each once; place is the first one, more counts the others.
CREATE TABLE stands (
    installation BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    tracked BIGINT NOT NULL,
    place TEXT NOT NULL,
    more BIGINT NOT NULL,
    PRIMARY KEY (installation, repository, name, tag, digest)
);
CREATE INDEX stands_name ON stands (installation, name, tag);

-- What registries are asked for: with a tag what it means, with a digest whether it is there,
-- with neither which tags there are. Idle is since when no repository names it.
CREATE TABLE watched (
    installation BIGINT NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    host TEXT NOT NULL,
    seen TEXT NOT NULL DEFAULT '',
    first_seen BIGINT NOT NULL DEFAULT 0,
    last_seen BIGINT NOT NULL DEFAULT 0,
    gone BIGINT NOT NULL DEFAULT 0,
    gaps BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,
    asked BIGINT NOT NULL DEFAULT 0,
    due BIGINT NOT NULL,
    idle BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (installation, name, tag, digest)
);
CREATE INDEX watched_due ON watched (host, due);
CREATE INDEX watched_turn ON watched (host, installation, due);
CREATE INDEX watched_name ON watched (name, tag);
CREATE INDEX watched_idle ON watched (idle) WHERE idle > 0;
CREATE INDEX watched_gone ON watched (gone) WHERE gone > 0;

-- The last moves of each tag.
CREATE TABLE moves (
    installation BIGINT NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    noticed BIGINT NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    PRIMARY KEY (installation, name, tag, noticed)
);

-- What was last said of a repository: print by what was given, text by the issue.
CREATE TABLE reports (
    installation BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    print TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT '',
    written BIGINT NOT NULL DEFAULT 0,
    due BIGINT NOT NULL,
    PRIMARY KEY (installation, repository)
);
CREATE INDEX reports_due ON reports (due);

-- +goose Down
DROP TABLE reports;
DROP TABLE moves;
DROP TABLE watched;
DROP TABLE stands;
