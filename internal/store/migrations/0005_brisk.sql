-- +goose Up
-- From when on an installation's visits are taken to be short ones, in microseconds since 1970 by
-- the store's clock; 0 = that is not known.
ALTER TABLE shares ADD COLUMN brisk BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE shares DROP COLUMN brisk;
