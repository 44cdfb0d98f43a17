package dir

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openBelow opens a file below the root with one system call in which the kernel refuses
// links and paths that lead out (https://man7.org/linux/man-pages/man2/openat2.2.html).
// ok is false where the kernel does not know the call.
func (d *Dir) openBelow(name string) (f *os.File, ok bool) {
	fd, err := unix.Openat2(d.fd, filepath.FromSlash(name), &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, false
	}
	return os.NewFile(uintptr(fd), name), true
}
