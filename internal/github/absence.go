package github

import (
	"sync"
	"time"
)

const maxAbsences = 1000

// absences remember when repositories were found not to be there. GitHub gives no tag for that,
// so that asking again would cost as much each time.
type absences struct {
	last time.Duration // 0: nothing is remembered

	mu    sync.Mutex
	found map[string]time.Time // by the path of the repository
}

// recent says whether a repository was not there a short while ago.
func (a *absences) recent(path string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.found[path]
	age := now.Sub(at)
	return ok && age >= 0 && age < a.last
}

// note remembers whether a repository was there.
func (a *absences) note(path string, there bool, now time.Time) {
	if a.last <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if there {
		delete(a.found, path)
		return
	}
	if len(a.found) >= maxAbsences {
		clear(a.found)
	}
	a.found[path] = now
}
