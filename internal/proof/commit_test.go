package proof

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// tellCommits has a process tell of each commit to SQLite on file descriptor 3, and wait for an
// answer on 4 before it makes it. It stands in the process's environment.
const tellCommits = "PINNACE_PROOF_TELL_COMMITS"

// watchCommits sets the hook, in the process that is the program.
func watchCommits() {
	if os.Getenv(tellCommits) == "" {
		return
	}
	tell, answer := os.NewFile(3, "tell"), bufio.NewReader(os.NewFile(4, "answer"))
	var one sync.Mutex // commits are asked about one after the other
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, _ string) error {
		hooks, ok := c.(sqlite.HookRegisterer)
		if !ok {
			panic("this driver of SQLite has no hook for commits")
		}
		changed := false // this connection's transaction has changed something
		hooks.RegisterPreUpdateHook(func(sqlite.SQLitePreUpdateData) { changed = true })
		hooks.RegisterRollbackHook(func() { changed = false })
		hooks.RegisterCommitHook(func() int32 {
			if !changed {
				return 0
			}
			changed = false
			one.Lock()
			defer one.Unlock()
			if _, err := io.WriteString(tell, caller()+"\n"); err != nil {
				os.Exit(9) // nobody listens any more
			}
			if _, err := answer.ReadByte(); err != nil {
				os.Exit(9)
			}
			return 0
		})
		return nil
	})
}

const module = "github.com/pinnace-dev/pinnace/"

// caller names the function that commits: ours, or the outermost one of the library that does it
// by itself, or for us.
func caller() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	library := ""
	for {
		f, more := frames.Next()
		switch {
		case strings.HasPrefix(f.Function, module+"internal/proof"), strings.HasSuffix(plainName(f.Function), ".inTx"), strings.HasSuffix(plainName(f.Function), ".inTagTx"):
		case strings.HasPrefix(f.Function, module) && library != "":
			return library
		case strings.HasPrefix(f.Function, module):
			return plainName(strings.TrimPrefix(f.Function, module))
		case strings.HasPrefix(f.Function, "github.com/riverqueue/river"), strings.HasPrefix(f.Function, "github.com/pressly/goose"):
			library = plainName(strings.TrimPrefix(strings.TrimPrefix(f.Function, "github.com/riverqueue/"), "github.com/pressly/"))
		}
		if !more {
			return library
		}
	}
}

// plainName leaves out the closures and the type arguments of a function's name.
func plainName(f string) string {
	f = strings.ReplaceAll(f, "[...]", "")
	for _, mark := range []string{".func", "-range", ".gowrap", ".deferwrap"} {
		if i := strings.Index(f, mark); i >= 0 {
			f = f[:i]
		}
	}
	return f
}
