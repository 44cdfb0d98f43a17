package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	ownLife = 2 * time.Minute // how far behind its writes GitHub's reads may be
	maxOwn  = 2000            // of each kind
)

// own remembers for two minutes what a client wrote. What GitHub answers may be of a moment
// before that, and who believed it would write the same a second time, or take what Pinnace
// merged for merged past the rules. An answer that is newer, or somebody else's, is left as it
// is.
type own struct {
	now func() time.Time

	checks   shelf[promotion.CheckRun]
	comments shelf[promotion.Comment]
	issues   shelf[promotion.Issue]
	pulls    shelf[promotion.PullRequest]
	merged   shelf[landed]
}

func newOwn(now func() time.Time) *own { return &own{now: now} }

// A landed is a merge.
type landed struct {
	head, commit string
	at           time.Time
}

// An ownKey is a thing of a repository: by its number where that is known.
type ownKey struct {
	repository string
	id         int64
}

func keyIn(r promotion.Repository, id int64) ownKey {
	if r.ID > 0 {
		return ownKey{strconv.FormatInt(r.ID, 10), id}
	}
	return ownKey{strings.ToLower(r.FullName()), id}
}

// A shelf holds what was written lately of one kind. Its zero value is empty.
type shelf[T any] struct {
	mu    sync.Mutex
	wrote map[ownKey]wrote[T]
	seen  map[ownKey]print // as it was read or written last
}

type wrote[T any] struct {
	value T
	at    time.Time
	made  bool    // it was created, not changed
	older []print // what it was before
}

// A print tells versions of a thing apart.
type print [sha256.Size]byte

// put remembers what was written. made says that it was created.
func (s *shelf[T]) put(k ownKey, v T, p print, made bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrote == nil {
		s.wrote, s.seen = map[ownKey]wrote[T]{}, map[ownKey]print{}
	}
	if len(s.wrote) >= maxOwn {
		for old, w := range s.wrote {
			if now.Sub(w.at) >= ownLife {
				delete(s.wrote, old)
			}
		}
		if len(s.wrote) >= maxOwn {
			clear(s.wrote)
		}
	}
	w := wrote[T]{value: v, at: now, made: made || s.wrote[k].made, older: s.wrote[k].older}
	if before, ok := s.seen[k]; ok && before != p {
		w.older = append(slices.Clip(w.older[max(0, len(w.older)-10):]), before)
	}
	s.wrote[k] = w
	s.note(k, p)
}

// note remembers how a thing was read. The caller holds mu.
func (s *shelf[T]) note(k ownKey, p print) {
	if s.seen == nil {
		s.seen = map[ownKey]print{}
	}
	if len(s.seen) >= maxOwn {
		clear(s.seen)
	}
	s.seen[k] = p
}

// read returns what was written in the place of what was read, where that is an older version.
func (s *shelf[T]) read(k ownKey, p print, now time.Time) (v T, older bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.wrote[k]
	if ok && now.Sub(w.at) < ownLife && slices.Contains(w.older, p) {
		return w.value, true
	}
	if ok && s.seen[k] != p { // somebody else changed it
		delete(s.wrote, k)
	}
	s.note(k, p)
	return v, false
}

// lately returns what was written of a repository, by number.
func (s *shelf[T]) lately(repository string, now time.Time, want func(wrote[T]) bool) (all []T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []ownKey
	for k, w := range s.wrote {
		if k.repository == repository && now.Sub(w.at) < ownLife && want(w) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b ownKey) int { return cmp.Compare(a.id, b.id) })
	for _, k := range keys {
		all = append(all, s.wrote[k].value)
	}
	return all
}

// checkPrint is what of a check run Pinnace writes.
func checkPrint(r promotion.CheckRun) print {
	return sha256.Sum256([]byte(strings.Join([]string{r.Status, r.Conclusion, r.ExternalID, r.DetailsURL, r.Title, r.Summary, r.Text, r.Started.String(), r.Completed.String()}, "\x00")))
}

func (o *own) wroteCheck(repo promotion.Repository, r promotion.CheckRun, made bool) {
	o.checks.put(keyIn(repo, r.ID), r, checkPrint(r), made, o.now())
}

// checkRuns puts our own into a list of check runs on a commit.
func (o *own) checkRuns(repo promotion.Repository, sha, name string, all []promotion.CheckRun) []promotion.CheckRun {
	now := o.now()
	for i, r := range all {
		if newer, older := o.checks.read(keyIn(repo, r.ID), checkPrint(r), now); older {
			all[i] = newer
		}
	}
	for _, r := range o.checks.lately(keyIn(repo, 0).repository, now, func(w wrote[promotion.CheckRun]) bool { return w.made }) {
		same := func(x promotion.CheckRun) bool { return x.Name == r.Name && x.App == r.App }
		if r.SHA != sha || name != "" && r.Name != name || slices.ContainsFunc(all, func(x promotion.CheckRun) bool { return same(x) && x.ID >= r.ID }) {
			continue
		}
		all = append(slices.DeleteFunc(all, same), r) // GitHub lists the newest of a name
	}
	return all
}

func (o *own) wroteComment(repo promotion.Repository, c promotion.Comment, made bool) {
	if c.ID != 0 && c.Thread != 0 {
		o.comments.put(keyIn(repo, c.ID), c, commentPrint(c), made, o.now())
	}
}

func commentPrint(c promotion.Comment) print {
	return sha256.Sum256([]byte(c.Updated.String() + "\x00" + c.Body))
}

// commentsOf puts our own into the comments of a thread, 0 = of all.
func (o *own) commentsOf(repo promotion.Repository, thread int, all []promotion.Comment) []promotion.Comment {
	now := o.now()
	at := map[int64]bool{}
	for i, c := range all {
		at[c.ID] = true
		if newer, older := o.comments.read(keyIn(repo, c.ID), commentPrint(c), now); older {
			all[i] = newer
		}
	}
	for _, c := range o.comments.lately(keyIn(repo, 0).repository, now, func(w wrote[promotion.Comment]) bool { return w.made }) {
		if !at[c.ID] && (thread == 0 || c.Thread == thread) {
			all = append(all, c)
		}
	}
	return all
}

func (o *own) wroteIssue(repo promotion.Repository, i promotion.Issue) {
	if i.Number > 0 {
		o.issues.put(keyIn(repo, int64(i.Number)), i, print{}, true, o.now())
	}
}

// missingIssues are those of a label that were opened lately and are not in a list.
func (o *own) missingIssues(repo promotion.Repository, label string, all []promotion.Issue) []promotion.Issue {
	var missing []promotion.Issue
	for _, i := range o.issues.lately(keyIn(repo, 0).repository, o.now(), func(wrote[promotion.Issue]) bool { return true }) {
		listed := slices.ContainsFunc(all, func(x promotion.Issue) bool { return x.Number == i.Number })
		if !listed && slices.Contains(i.Labels, label) {
			missing = append(missing, i)
		}
	}
	return missing
}

func (o *own) opened(repo promotion.Repository, q promotion.PullRequest) {
	o.pulls.put(keyIn(repo, int64(q.Number)), q, print{}, true, o.now())
}

func (o *own) landed(repo promotion.Repository, m promotion.MergeRequest, commit string) {
	now := o.now()
	o.merged.put(keyIn(repo, int64(m.Number)), landed{m.SHA, commit, now}, print{}, true, now)
}

// pull returns a pull request as it is by our own merge.
func (o *own) pull(repo promotion.Repository, q promotion.PullRequest) promotion.PullRequest {
	if q.State == promotion.Merged {
		return q
	}
	k := keyIn(repo, int64(q.Number))
	o.merged.mu.Lock()
	w, ok := o.merged.wrote[k]
	o.merged.mu.Unlock()
	if ok && w.value.head == q.Head.SHA && o.now().Sub(w.at) < ownLife {
		q.State, q.MergeCommit, q.MergedAt, q.Closed = promotion.Merged, w.value.commit, w.value.at, w.value.at
	}
	return q
}

// missingPulls are the numbers of those that were opened lately and are not in a list.
func (o *own) missingPulls(repo promotion.Repository, q promotion.Query, all map[int]bool) []promotion.PullRequest {
	var missing []promotion.PullRequest
	for _, p := range o.pulls.lately(keyIn(repo, 0).repository, o.now(), func(wrote[promotion.PullRequest]) bool { return true }) {
		if !all[p.Number] && selects(promotion.Query{Head: q.Head, Base: q.Base}, p) {
			missing = append(missing, p)
		}
	}
	return missing
}

// mergedAs are the numbers of the pull requests that we made a commit of.
func (o *own) mergedAs(repo promotion.Repository, commit string) (numbers []int) {
	o.merged.mu.Lock()
	defer o.merged.mu.Unlock()
	for k, w := range o.merged.wrote {
		if k.repository == keyIn(repo, 0).repository && w.value.commit == commit && o.now().Sub(w.at) < ownLife {
			numbers = append(numbers, int(k.id))
		}
	}
	slices.Sort(numbers)
	return numbers
}

// again reads a pull request that a list should have had. Where GitHub does not have it yet, it
// is as we opened it.
func (c *Client) again(ctx context.Context, repo promotion.Repository, p promotion.PullRequest) (promotion.PullRequest, error) {
	now, ok, err := c.PullRequest(ctx, repo, p.Number)
	if err != nil || ok {
		return now, err
	}
	return p, nil
}
