package message

import (
	"cmp"
	"fmt"
	"time"
)

// A Watch is the daily report on the images of a repository: an issue that changes as they do.
type Watch struct {
	Key   string // of [ReplyKey]
	Moved []MovedTag
	Gone  []GoneDigest
}

// A MovedTag looks like one that stays, and means another digest than files pin.
type MovedTag struct {
	Image, Tag string
	Old, New   string    // digests: what files pin, and what the tag means now
	At         time.Time // when that was noticed
	Place      string    // the first place where it stands
	More       int       // how many others there are
}

// A GoneDigest is pinned by files and no longer in its registry.
type GoneDigest struct {
	Image, Tag, Digest string
	Seen, Since        time.Time // when it was there last, and since when it is not
	Place              string    // the first place where it stands
	More               int       // how many others there are
}

// watchRoom is the most bytes of each of the two lists.
const watchRoom = 20 << 10

// Nothing says that there is nothing to report.
func (w Watch) Nothing() bool { return len(w.Moved)+len(w.Gone) == 0 }

// Title returns the title of every such issue.
func (w Watch) Title() string { return "Images to look at" }

// Body returns Markdown of fewer than [Limit] bytes.
func (w Watch) Body() string {
	if w.Nothing() {
		return replied(w.Key, "Nothing is left to look at. Pinnace has closed this issue, and opens it again when that changes.")
	}
	var moved, gone, todo []string
	for _, m := range w.Moved {
		moved = append(moved, fmt.Sprintf("- %s meant %s and means %s now, noticed on %s%s\n", imageTag(m.Image, m.Tag), short(m.Old), short(m.New), stamp(m.At), stood(m.Place, m.More)))
	}
	for _, g := range w.Gone {
		gone = append(gone, fmt.Sprintf("- %s, digest %s, was there on %s and is not since %s%s\n", imageTag(g.Image, g.Tag), short(g.Digest), stamp(g.Seen), stamp(g.Since), stood(g.Place, g.More)))
	}
	if len(moved) > 0 {
		moved = append([]string{"These tags look like ones that stay, but somebody pointed them at other images. What runs is what the files pin: nothing changed there.\n\n"}, moved...)
		todo = append(todo, "- Ask who pushes a tag that moved whether they meant to. Merge an update to it only if they did.\n")
	}
	if len(gone) > 0 {
		gone = append([]string{"The files pin these digests, and their registries have them no longer. What runs goes on, but a node that has no copy cannot start it.\n\n"}, gone...)
		todo = append(todo, "- Push a digest that is gone again, or move on to one that is there.\n")
	}
	return replied(w.Key,
		lead("Tags that moved", moved), lead("Digests that are gone", gone), lead("What to do", todo),
		"Pinnace edits this issue at most once a day, and closes it when nothing is left.",
	)
}

// lead is a list under a heading, with what comes before it.
func lead(title string, rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	return "**" + title + "**\n\n" + listed(rows, watchRoom, "image")
}

// imageTag names an image with its tag, if there is one.
func imageTag(name, tag string) string {
	if tag != "" {
		name += ":" + tag
	}
	return cmp.Or(Code(name), "an image")
}

// stood says where an image stands.
func stood(place string, more int) string {
	at := Code(place)
	switch {
	case at == "" && more <= 0:
		return ""
	case at == "":
		return ", in " + counted(more, "place")
	case more <= 0:
		return ", in " + at
	}
	return ", in " + at + " and " + counted(more, "other place")
}
