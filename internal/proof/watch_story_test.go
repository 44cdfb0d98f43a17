package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// watching is the story of two images, one of which a rule follows; the tag of the other looks
// like one that stays. Registries are asked every hour, and once a day whether digests are there;
// hours and days pass by setting back what the database says of them.
var watching = tale{newImages, imageSteps}

const (
	proxyFile  = "envs/prod/proxy.yaml"
	afterRound = 70 * time.Minute
	afterDay   = 27 * time.Hour
	hub        = "ghcr.io/acme/"
)

// newImages makes a world with one repository, in which both are pinned.
func newImages(t testing.TB) *story {
	t.Helper()
	s := &story{world: newWorld(t, sandbox.Options{T: t}), images: true}
	for _, name := range []string{"shop:1.4", "proxy:2.0.1", "proxy:2.0.2", "proxy:2.0.3"} {
		s.push(name)
	}
	s.config = s.repository("config", map[string]string{
		".pinnace/config.yaml": fmt.Sprintf(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"], track: [{images: ["ghcr.io/acme/shop"], follow: digest}]}
  - {name: prod, paths: ["envs/prod/**"], after: [dev], production: true}
github: {appID: %d}
registryMap: {"*": "%s"}
`, s.app.ID(), s.Registry()),
		devFile:   deployment("shop", s.pinned("shop:1.4", "shop:1.4")),
		proxyFile: deployment("proxy", s.pinned("proxy:2.0.1", "proxy:2.0.1")),
	})
	s.app.Install("acme", "config")
	s.installed = []string{"acme/config"}
	secrets := filepath.Join(s.home, "registries")
	if err := os.Mkdir(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(secrets, "generic"), []byte(hintSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.flags = []string{"--watch", "1h", "--registry-secrets", secrets, "--lease", lease}
	return s
}

const hintSecret = "the secret of our registry"

// pinned is a tag with the digest of an image.
func (s *story) pinned(tag, image string) string { return hub + tag + "@" + s.digests[image] }

var imageSteps = []step{
	{"begin", func(*story) {}, nil},
	{"a day passes", func(s *story) { s.later(afterDay) }, func(s *story) { s.reports("") }},
	{"shop:1.4 is built again, and the registry tells", func(s *story) {
		d, err := s.PushImage("acme/shop:1.4", sandbox.Image{Seed: "again", Platforms: []string{"linux/amd64"}, Created: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)})
		if err != nil {
			s.t.Fatal(err)
		}
		s.digests["shop:1.4 again"] = d
		s.later(time.Minute) // it is not asked for twice within seconds
		s.told, s.launched = time.Now(), s.launches()
		s.hint("shop:1.4")
	}, func(s *story) { s.isOpen("pinnace/update/dev/shop") }},
	{"proxy:2.0.1 moves without a word", func(s *story) {
		s.repoints("proxy:2.0.1", "proxy:2.0.2")
		s.later(afterRound)
	}, func(s *story) { s.reports("Tags that moved") }},
	{"what it was is deleted", func(s *story) {
		if err := s.DeleteImage("acme/proxy", s.digests["proxy:2.0.1"]); err != nil {
			s.t.Fatal(err)
		}
		s.later(afterDay)
	}, func(s *story) { s.reports("Tags that moved") }},
	{"an hour later it is still gone", func(s *story) { s.later(afterRound) }, func(s *story) { s.reports("Digests that are gone") }},
	{"erin takes what the tag means now", func(s *story) {
		s.commit("erin", map[string]string{proxyFile: deployment("proxy", s.pinned("proxy:2.0.1", "proxy:2.0.2"))})
	}, nil},
	{"another day passes", func(s *story) { s.later(afterDay) }, func(s *story) { s.reports("closed") }},
	{"proxy:2.0.1 moves once more", func(s *story) {
		s.repoints("proxy:2.0.1", "proxy:2.0.3")
		s.later(afterDay)
	}, func(s *story) { s.reports("Tags that moved") }},
	{"erin does without it", func(s *story) {
		s.commit("erin", map[string]string{proxyFile: deployment("proxy", s.pinned("shop:1.4", "shop:1.4"))})
	}, nil},
	{"after three months the process ends without a word", func(s *story) {
		s.killAll()
		s.later(100 * 24 * time.Hour)
	}, func(s *story) {
		s.reports("closed")
		if ledger := s.ledger(); strings.Contains(ledger, "proxy") {
			s.t.Fatalf("it is still known of what nobody has named for three months:\n%s", ledger)
		}
	}},
}

// repoints points a tag at another image.
func (s *story) repoints(tag, image string) {
	s.t.Helper()
	if err := s.MoveTag("acme/"+tag, s.digests[image]); err != nil {
		s.t.Fatal(err)
	}
}

// hint tells a process what was pushed, as a registry does: once. One that is gone hears nothing.
func (s *story) hint(image string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"image": hub + image})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range s.h.running() {
		req, err := http.NewRequest(http.MethodPost, "http://"+p.at()+"/webhooks/registry/generic", bytes.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Hub-Signature-256", sandbox.Sign(hintSecret, body))
		if resp, err := quick.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				s.t.Errorf("the registry was answered %s", resp.Status)
			}
		}
	}
}

// later lets time pass, as far as the database knows of what was done and is to be done. What an
// issue tells of stays at its time, so that its text does.
func (s *story) later(d time.Duration) {
	s.t.Helper()
	s.told = time.Time{}
	db := s.h.open()
	defer db.Close()
	for table, columns := range map[string][]string{"watched": {"asked", "due", "idle"}, "reports": {"written", "due"}} {
		var sets []string
		for _, c := range columns {
			sets = append(sets, fmt.Sprintf("%s = CASE WHEN %s > 0 AND %s < 4000000000000000 THEN %s - %d ELSE %s END", c, c, c, c, d.Microseconds(), c))
		}
		if _, err := db.Exec("UPDATE " + table + " SET " + strings.Join(sets, ", ")); err != nil {
			s.t.Fatalf("let %s pass: %v", d, err)
		}
	}
}

// launches counts the processes so far.
func (s *story) launches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.processes)
}

// settled says whether nothing is due to be asked of a registry or to be reported, and what the
// registry told the process that is there was looked at. Where something is due, a word about an image that nobody names has the process begin its next round now.
func (s *story) settled() bool {
	if time.Since(s.looked) < time.Second/20 {
		return false
	}
	db := s.h.open()
	defer db.Close()
	var known, due, asked int64
	err := db.QueryRow(`SELECT (SELECT COUNT(*) FROM reports), (SELECT COUNT(*) FROM watched WHERE due <= $1) + (SELECT COUNT(*) FROM reports WHERE due <= $1),
		(SELECT COALESCE(MAX(asked), 0) FROM watched WHERE tag = '1.4')`, time.Now().UnixMicro()).Scan(&known, &due, &asked)
	heard := s.told.IsZero() || s.launches() > s.launched || asked > s.told.UnixMicro()
	if err == nil && known > 0 && due == 0 && heard {
		return true
	}
	s.looked = time.Now()
	if time.Since(s.woken) > time.Second/2 {
		s.woken = time.Now()
		s.hint("nobody:names-it")
	}
	return false
}

// ledger is what is known of registries, but for times.
func (s *story) ledger() string {
	s.t.Helper()
	db := s.h.open()
	defer db.Close()
	var b strings.Builder
	for _, query := range []string{
		"SELECT 'stands ' || name || ':' || tag || '@' || digest || ' in ' || place || ' and ' || more FROM stands ORDER BY name, tag, digest",
		"SELECT 'watched ' || name || ':' || tag || '@' || digest || ' is ' || seen || ' gaps ' || gaps || ' named ' || (idle = 0) || ' gone ' || (gone > 0) FROM watched ORDER BY name, tag, digest",
		"SELECT 'moved ' || name || ':' || tag || ' from ' || was || ' to ' || became FROM moves ORDER BY name, tag, noticed",
	} {
		rows, err := db.Query(query)
		if err != nil {
			s.t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				s.t.Fatal(err)
			}
			b.WriteString(line + "\n")
		}
		if err := rows.Err(); err != nil {
			s.t.Fatal(err)
		}
	}
	return strings.NewReplacer(" true", " 1", " false", " 0").Replace(s.plain(b.String()))
}

// reports requires that one issue says something and is open, that it is closed, or with "" that
// there is none.
func (s *story) reports(what string) {
	s.t.Helper()
	var all []promotion.Issue
	for _, i := range s.config.Issues() {
		if i.Title == "Images to look at" {
			all = append(all, i)
		}
	}
	ok := len(all) == 1
	switch {
	case what == "":
		ok = len(all) == 0
	case ok && what == "closed":
		ok = !all[0].Open
	case ok:
		ok = all[0].Open && strings.Contains(all[0].Body, what)
	}
	if !ok {
		s.t.Fatalf("want an issue %q:\n%s", what, s.state(s.config))
	}
}
