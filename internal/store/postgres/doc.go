// Package postgres lends tests a real PostgreSQL server.
//
// In goes a test; out comes the URL of an empty database on a server that lives as long as the
// test process does. The programs are those of Debian's package postgresql (or any on PATH); a
// machine without them skips the test, and one where CI is set fails it instead, so that no
// pipeline goes green by skipping.
//
// The server listens on a Unix socket only, trusts who reaches it, and does not flush to disk:
// it is never used outside of tests.
package postgres
