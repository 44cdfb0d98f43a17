package git

import "fmt"

// Limits bound what a repository takes in and hands out. A field that is zero has the
// default given.
type Limits struct {
	Objects       int   // objects of one pack: 2,000,000
	ObjectSize    int64 // bytes of one object: 100 MiB, GitHub's own limit for a file
	PackSize      int64 // bytes of one pack as it is sent: 2 GiB
	TotalSize     int64 // bytes of all objects of one pack, inflated: 16 GiB
	Entries       int   // entries met by one walk or diff: 1,000,000
	Depth         int   // directories within one another: 64
	TreeSize      int64 // bytes of one tree object: 16 MiB
	Advertisement int64 // bytes of a server's list of refs: 64 MiB
	PushSize      int64 // bytes of a pack that is pushed: 32 MiB
	Unpushed      int64 // bytes of objects written and not pushed: 256 MiB
}

func (l Limits) filled() Limits {
	set := func(v *int64, n int64) {
		if *v <= 0 {
			*v = n
		}
	}
	count := func(v *int, n int) {
		if *v <= 0 {
			*v = n
		}
	}
	count(&l.Objects, 2_000_000)
	set(&l.ObjectSize, 100<<20)
	set(&l.PackSize, 2<<30)
	set(&l.TotalSize, 16<<30)
	count(&l.Entries, 1_000_000)
	count(&l.Depth, 64)
	set(&l.TreeSize, 16<<20)
	set(&l.Advertisement, 64<<20)
	set(&l.PushSize, 32<<20)
	set(&l.Unpushed, 256<<20)
	return l
}

// A LimitError says that something is larger than the limits allow. It is ErrLimit.
type LimitError struct {
	What string // "objects in a pack", "bytes in an object", ...
	Max  int64
	Size int64 // what it is, 0 where counting stopped at Max
}

func (e *LimitError) Error() string {
	if e.Size > 0 {
		return fmt.Sprintf("%d %s: more than the limit of %d", e.Size, e.What, e.Max)
	}
	return fmt.Sprintf("more %s than the limit of %d", e.What, e.Max)
}

// Is reports whether target is ErrLimit.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }
