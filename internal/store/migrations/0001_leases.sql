-- +goose Up
-- Who may act under a name, until when (microseconds since 1970); a row stays, so that fence grows.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    fence BIGINT NOT NULL,
    holder TEXT NOT NULL,
    ends BIGINT NOT NULL
);

-- +goose Down
DROP TABLE leases;
