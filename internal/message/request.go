package message

import (
	"cmp"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Registry is what [TrailerFrom] says where images come from no environment.
const Registry = "registry"

// asked says whether p is of a request.
func (p PullRequest) asked() bool {
	return (p.Kind == promotion.Promotion || p.Kind == promotion.Rollback) && p.Request.ID != ""
}

// source is where the images come from, in words for a title; "" where nobody said.
func (p PullRequest) source() string {
	switch {
	case !p.asked() || p.Kind == promotion.Rollback && p.Request.From == "":
		return ""
	case p.Request.From == "":
		return "the registry"
	}
	return plain(p.Request.From, 63)
}

// from is the same in Markdown.
func (p PullRequest) from() string {
	switch source := p.source(); {
	case source == "":
		return ""
	case p.Request.From == "":
		return " from " + source
	}
	return " from " + code(p.Request.From, 63)
}

// skipped warns of what was passed by.
func (p PullRequest) skipped() string {
	if p.Finished || !p.asked() || len(p.Request.Skipped) == 0 {
		return ""
	}
	names := some(p.Request.Skipped, 5, func(s string) string { return code(s, 63) })
	return "> [!WARNING]\n> Skips " + names + ": what is listed below was not promoted through there."
}

// origin says who asked, when and why.
func (p PullRequest) origin() string {
	if p.Finished || !p.asked() {
		return ""
	}
	return origins(p.Request)
}

func origins(r promotion.Request) string {
	by := people(r.By)
	if r.Unknown {
		by = strings.TrimPrefix(by+" and somebody unknown", " and ")
	}
	s := "Asked for"
	switch {
	case r.Auto && by != "":
		s = "Asked for automatically, on behalf of " + by
	case r.Auto:
		s = "Asked for automatically"
	case by != "":
		s += " by " + by
	}
	if !r.At.IsZero() {
		s += " on " + stamp(r.At)
	}
	if why := text(r.Reason, 300); why != "" {
		return s + ": " + ended(why)
	}
	return s + "."
}

// rules shows the rules as they were when the text was written. They change often, and the
// text is not written again for that.
func (p PullRequest) rules() string {
	if p.Finished || !p.asked() || p.Decision == nil {
		return ""
	}
	list := (&tree{brief: true}).list(p.Decision.Results, rulesRoom)
	if list == "" {
		return ""
	}
	return "**Rules** as this was written; " + named("the check", p.DetailsURL) + " shows them now\n\n" + list
}

// outlook says who may approve, what merging does and how to go back.
func (p PullRequest) outlook() string {
	if p.Finished || !p.asked() {
		return ""
	}
	var rows []string
	if s := text(p.Approvers, 300); s != "" {
		rows = append(rows, "**Who may approve**: "+s)
	}
	if s := text(p.Deploys, 300); s != "" {
		rows = append(rows, "**Merging**: "+s)
	}
	if s := code(p.Undo, 200); s != "" {
		label := "To go back"
		if p.Kind == promotion.Rollback {
			label = "To go forward again"
		}
		rows = append(rows, "**"+label+"**: "+s)
	}
	return strings.Join(rows, "\\\n")
}

// named is a link with words of ours, or the words alone where the address is not a plain
// one.
func named(words, url string) string {
	if !plainAddress(url) {
		return words
	}
	return "[" + words + "](" + url + ")"
}

// moved are ways to say what is promoted or rolled back, from long to short.
func (p PullRequest) moved() []string {
	name, tag, old, only, same := plain(p.App, 100), "", "", "", true
	for n, i := range p.Images {
		if n == 0 {
			tag, old, only = i.Tag, i.OldTag, i.NewDigest
			name = cmp.Or(name, plain(i.Name[strings.LastIndexByte(i.Name, '/')+1:], 100))
			continue
		}
		same = same && i.Tag == tag
		if i.NewDigest != only {
			only = ""
		}
		if i.OldTag != i.Tag {
			old = ""
		}
	}
	say := func(what, to string) string {
		switch {
		case p.Kind == promotion.Rollback && to != "":
			return "Roll " + what + " back to " + to
		case p.Kind == promotion.Rollback:
			return "Roll " + what + " back"
		}
		return strings.TrimSuffix("Promote "+what+" "+to, " ")
	}
	d := ""
	if full := digest(only); full != "" {
		d = full.Short() + "…"
	}
	count := counted(p.names(), "image")
	switch {
	case len(p.Images) == 0 && name == "":
		return []string{say(count, "")}
	case len(p.Images) == 0:
		return []string{say(name, "")}
	case p.App == "" && p.names() > 1:
		return []string{say(count, "")}
	case !same:
		return []string{say(name+" ("+count+")", ""), say(name, ""), say(count, "")}
	case tag == "" && d != "":
		return []string{say(name, d), say(name, ""), say(count, "")}
	case tag != "" && old == tag && d != "":
		return []string{say(name, plain(tag, 128)+" ("+d+")"), say(name, plain(tag, 128)), say(name, ""), say(count, "")}
	}
	return []string{say(name, plain(tag, 128)), say(name, ""), say(count, "")}
}
