//go:build !unix

package dir

import (
	"io/fs"
	"os"
)

// keepOwner is for systems where files have one.
func keepOwner(*os.File, fs.FileInfo) {}
