package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// errDamaged says that a file does not hold what SQLite wrote.
var errDamaged = errors.New("the database is damaged: move the file and those beside it (-wal, -shm) away and start again; everything in it comes back from GitHub")

// Result codes of SQLite: https://www.sqlite.org/rescode.html, the primary ones.
const (
	codeBusy     = 5
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// Explain adds to an error of the database what an operator may do about it.
func Explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case codeCorrupt, codeNotADB:
		return fmt.Errorf("%w: %w", errDamaged, err)
	case codeFull:
		return fmt.Errorf("no space left for the database: make room; nothing was accepted that was not stored: %w", err)
	case codeReadOnly, codeCantOpen:
		return fmt.Errorf("the database's file and its folder must be writable by the user that runs Pinnace: %w", err)
	case codeIO:
		return fmt.Errorf("the disk of the database failed: %w", err)
	case codeBusy:
		return fmt.Errorf("another program holds the database locked: close it: %w", err)
	}
	return err
}
