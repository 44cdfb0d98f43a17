package event

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// examples returns the payloads that GitHub publishes, by event; none where
// PINNACE_WEBHOOK_EXAMPLES does not name the folder of npm's @octokit/webhooks-examples@7.6.1.
func examples(t testing.TB) map[string][]json.RawMessage {
	t.Helper()
	all, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var published = sync.OnceValues(func() (map[string][]json.RawMessage, error) {
	dir := os.Getenv("PINNACE_WEBHOOK_EXAMPLES")
	if dir == "" {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "api.github.com", "index.json"))
	if err != nil {
		return nil, err
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(data, &events); err != nil {
		return nil, err
	}
	all := map[string][]json.RawMessage{}
	for _, e := range events {
		all[e.Name] = append(all[e.Name], e.Examples...)
	}
	return all, nil
})

// installed returns an example as an App gets it: most were made for webhooks of a repository,
// which name no installation.
func installed(t testing.TB, example []byte) []byte {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(example, &m); err != nil {
		t.Fatal(err)
	}
	if m["installation"] == nil {
		m["installation"] = json.RawMessage(`{"id":7}`)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExamples: every example of an event that is known is read, and leads to where
// encoding/json says that it is about.
func TestExamples(t *testing.T) {
	all := examples(t)
	if all == nil {
		t.Skip("PINNACE_WEBHOOK_EXAMPLES does not name the folder of npm's @octokit/webhooks-examples@7.6.1")
	}
	total, known := 0, 0
	for name, list := range all {
		k, ok := kinds[name]
		for i, x := range list {
			total++
			var p struct {
				Action       string
				Installation struct{ ID int64 }
				Repository   struct {
					ID       int64
					FullName string `json:"full_name"`
				}
				Number      int
				PullRequest struct{ Number int } `json:"pull_request"`
				Issue       struct {
					Number      int
					PullRequest json.RawMessage `json:"pull_request"`
				}
			}
			// Some events reuse these keys for other things.
			_ = json.Unmarshal(installed(t, x), &p)
			action, looks, err := Parse(name, installed(t, x))
			if err != nil {
				t.Errorf("%s %d: %v", name, i, err)
				continue
			}
			if !ok {
				if action != "" || looks != nil {
					t.Errorf("%s %d is not known, and gave %q %v", name, i, action, looks)
				}
				continue
			}
			known++
			if want := p.Action; word(want) == want && action != want {
				t.Errorf("%s %d: action %q, want %q", name, i, action, want)
			}
			for _, l := range looks {
				sound(t, installed(t, x), l)
				if l.Installation != p.Installation.ID {
					t.Errorf("%s %d: installation %d, want %d", name, i, l.Installation, p.Installation.ID)
				}
				if name != "installation_repositories" && l.Repository != 0 && (l.Repository != p.Repository.ID || l.Owner+"/"+l.Name != p.Repository.FullName) {
					t.Errorf("%s %d: %+v, want %d %s", name, i, l, p.Repository.ID, p.Repository.FullName)
				}
				switch {
				case slices.Equal(k.keys, []string{"pull_request"}) && l.Pull != p.PullRequest.Number,
					name == "issue_comment" && p.Issue.PullRequest != nil && l.Pull != p.Issue.Number,
					name == "issue_comment" && p.Issue.PullRequest == nil && l.Pull != 0:
					t.Errorf("%s %d: pull request %d", name, i, l.Pull)
				}
			}
			if name == "push" && len(looks) != 1 || slices.Equal(k.keys, []string{"pull_request"}) && (len(looks) != 1 || looks[0].Pull == 0) {
				t.Errorf("%s %d: %v", name, i, looks)
			}
			// As a webhook of a repository would send it: without an installation there is nowhere to look.
			if !bytes.Contains(x, []byte(`"installation"`)) {
				if _, looks, err := Parse(name, x); err != nil || looks != nil {
					t.Errorf("%s %d without an installation: %v %v", name, i, looks, err)
				}
			}
		}
	}
	if total < 300 || known < 170 {
		t.Errorf("got %d examples, %d of known events; want more than 300 and 170", total, known)
	}
	t.Logf("%d examples, %d of them of known events", total, known)
}

func BenchmarkParse(b *testing.B) {
	all := examples(b)
	body := []byte(`{"action":"opened",` + both + `,"pull_request":{"number":3}}`)
	if x := all["pull_request"]; x != nil {
		body = installed(b, x[0])
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, looks, err := Parse("pull_request", body); err != nil || len(looks) != 1 {
			b.Fatal(looks, err)
		}
	}
}
