-- +goose Up
-- GitHub's answers, so that asking again costs nothing where nothing changed. request is the
-- SHA-256 of what was asked, body is in DEFLATE, size is what the row takes, and used is when it
-- was of use, to a day.
CREATE TABLE etags (
    tenant TEXT NOT NULL,
    request BYTEA NOT NULL,
    used BIGINT NOT NULL,
    size BIGINT NOT NULL,
    etag TEXT NOT NULL,
    link TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (tenant, request)
);
CREATE INDEX etags_used ON etags (tenant, used, size);

-- +goose Down
DROP TABLE etags;
