//go:build !unix

package store

import (
	"io"
	"os"
)

// lockFile opens the file only: where there is no lock that ends with the process, it is the
// operator who sees to it that one process alone opens a database.
func lockFile(path string) (io.Closer, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}
