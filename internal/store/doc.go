// Package store opens the database: SQLite in a file, or PostgreSQL for several replicas.
//
// In goes a URL; out comes a *sql.DB whose tables are there, and leases on names. One text of
// each statement serves both kinds: placeholders are $1, integers BIGINT, bytes BYTEA, and
// times microseconds since 1970 in a BIGINT. What cannot be said so does not go in.
//
// A commit that returned is on disk: synchronous=FULL on SQLite, synchronous_commit on
// PostgreSQL. A database of a newer Pinnace is refused, an older one is migrated while no other
// process may begin to; one process alone opens an SQLite file.
//
// Nothing here is the only copy of anything but what to do next, and that comes back by a look
// at every repository: a database that is damaged or lost may be deleted.
package store
