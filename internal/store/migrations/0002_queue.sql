-- +goose Up
-- Times are microseconds since 1970 by the store's clock, 0 = never.

-- Webhooks that were accepted, by X-GitHub-Delivery, for as long as GitHub may deliver them again.
CREATE TABLE inbox (
    guid TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    action TEXT NOT NULL,
    received BIGINT NOT NULL
);
CREATE INDEX inbox_received ON inbox (received);

-- Webhooks that GitHub could not deliver and was asked to deliver again.
CREATE TABLE chased (
    guid TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    lost BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    next BIGINT NOT NULL DEFAULT 0
);

-- What is worked on. Dirty is a subject whose raised is above done.
CREATE TABLE subjects (
    installation BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    owner TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    raised BIGINT NOT NULL DEFAULT 0,
    noted BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    everywhere BIGINT NOT NULL DEFAULT 0,
    queued BIGINT NOT NULL DEFAULT 0,
    turn BIGINT NOT NULL DEFAULT 0,
    since BIGINT NOT NULL DEFAULT 0,
    visit_since BIGINT NOT NULL DEFAULT 0,
    asked BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    ends BIGINT NOT NULL DEFAULT 0,
    begun BIGINT NOT NULL DEFAULT 0,
    ended BIGINT NOT NULL DEFAULT 0,
    streak BIGINT NOT NULL DEFAULT 0,
    held BIGINT NOT NULL DEFAULT 0,
    due BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '',
    quarantined BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (installation, repository)
);
CREATE INDEX subjects_waiting ON subjects (turn, installation, repository) WHERE queued > 0;
CREATE INDEX subjects_held ON subjects (ends) WHERE ends > 0;
CREATE INDEX subjects_due ON subjects (due) WHERE due > 0;
CREATE INDEX subjects_quarantined ON subjects (quarantined) WHERE quarantined > 0;

-- Pull requests to judge first; raised is the subject's when it was last asked for.
CREATE TABLE looks (
    installation BIGINT NOT NULL,
    repository BIGINT NOT NULL,
    pull BIGINT NOT NULL,
    raised BIGINT NOT NULL,
    PRIMARY KEY (installation, repository, pull)
);

-- The last turns given to an installation's subjects (urgent by events, idle by the clock) and
-- the last one served.
CREATE TABLE shares (
    installation BIGINT PRIMARY KEY,
    urgent BIGINT NOT NULL DEFAULT 0,
    idle BIGINT NOT NULL DEFAULT 0,
    served BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX shares_served ON shares (served);

-- When something was last done, and how often something was counted.
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at BIGINT NOT NULL DEFAULT 0,
    count BIGINT NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE marks;
DROP TABLE shares;
DROP TABLE looks;
DROP TABLE subjects;
DROP TABLE chased;
DROP TABLE inbox;
