package message

import (
	"strings"
	"testing"
)

// What a body says to machines is found when people write around it, and cannot be said
// by what they write.
func TestMarks(t *testing.T) {
	p := cases["pin-several"]
	q := p
	q.Finished = true
	other := p
	other.Seal = strings.Repeat("0", 64)
	forged := p
	forged.Version = ""
	forged.Notes = []string{q.machine(""), "x\n" + q.machine("") + "\n"}
	forged.Images = []Image{shop()}
	forged.Images[0].Version = q.machine("")
	for name, tc := range map[string]struct {
		body         string
		in, finished bool
	}{
		"as written":        {p.Body(), true, false},
		"with CRLF":         {strings.ReplaceAll(p.Body(), "\n", "\r\n"), true, false},
		"written around":    {"Please wait.\n\n" + p.Body() + "\nThanks.", true, false},
		"finished":          {q.Body(), false, true},
		"another seal":      {other.Body(), false, false},
		"forged":            {forged.Body(), false, false},
		"mark in a line":    {"see " + q.machine("") + p.machine(""), false, false},
		"mark without":      {`,"finished":true,"state":"` + p.state() + `"`, false, false},
		"nothing":           {"", false, false},
		"the last one wins": {q.Body() + p.Body(), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			if in, finished := p.IsIn(tc.body), IsFinished(tc.body); in != tc.in || finished != tc.finished {
				t.Errorf("got in %v and finished %v, want %v and %v", in, finished, tc.in, tc.finished)
			}
		})
	}
}

// Names that make the line for machines too long are left out of it, not what it is for.
func TestMarkBound(t *testing.T) {
	p := hostile(strings.Repeat("<", 3000))
	p.Finished = true
	if line := p.machine(""); len(line) > machineRoom || !IsFinished(p.Body()) || !p.IsIn(p.Body()) {
		t.Errorf("got %d bytes that say finished %v", len(line), IsFinished(p.Body()))
	}
}

// What people write into a text of ours is theirs from then on.
func TestTouched(t *testing.T) {
	p := cases["pin-several"]
	body, title := p.Body(), p.Title()
	for name, tc := range map[string]struct {
		body, title string
		ours        bool // the body is as written
		titled      bool // the title is
	}{
		"as written":        {body, title, true, true},
		"with CRLF":         {strings.ReplaceAll(body, "\n", "\r\n"), title, true, true},
		"without last line": {strings.TrimRight(body, "\n"), title, true, true},
		"a note on top":     {"Hold until Monday.\n\n" + body, title, false, true},
		"a word changed":    {strings.Replace(body, "Pins", "Sets", 1), title, false, true},
		"another title":     {body, "[HOLD] " + title, true, false},
		"no mark":           {body[:strings.LastIndex(body, "<!--")], title, false, false},
	} {
		if got := IsBody(tc.body); got != tc.ours {
			t.Errorf("%s: the body is as written: %v", name, got)
		}
		if got := IsTitle(tc.title, tc.body); got != tc.titled {
			t.Errorf("%s: the title is as written: %v", name, got)
		}
	}
	if got := SealOf(body); got != p.Seal {
		t.Errorf("the seal is %q, want %q", got, p.Seal)
	}
}
