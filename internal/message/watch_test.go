package message

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var watches = map[string]Watch{
	"watch": {
		Key: "images-to-look-at",
		Moved: []MovedTag{
			{Image: "ghcr.io/acme/shop", Tag: "1.4.2", Old: digestOf("a"), New: digestOf("b"), At: time.Date(2026, 7, 1, 3, 12, 0, 0, time.UTC), Place: "envs/prod/shop.yaml:12", More: 2},
			{Image: "docker.io/library/nginx", Tag: "20260131", Old: digestOf("c"), New: digestOf("d"), At: time.Date(2026, 7, 2, 3, 12, 0, 0, time.UTC), Place: "envs/dev/web.yaml:4", More: 1},
		},
		Gone: []GoneDigest{
			{
				Image: "quay.io/acme/migrate", Tag: "v2", Digest: digestOf("e"), Seen: time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC), Since: time.Date(2026, 7, 1, 9, 2, 0, 0, time.UTC),
				Place: "envs/prod/shop.yaml:31",
			},
			{Image: "quay.io/acme/old", Digest: digestOf("f"), Seen: time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC), Since: time.Date(2026, 7, 1, 9, 2, 0, 0, time.UTC)},
		},
	},
	"watch-nothing": {Key: "images-to-look-at"},
	"watch-hostile": hostileWatch(`x" @carol fixes #1 GH-2 <b>|</b> ` + "`a``b" + ` https://evil.example/ [a](javascript:b) ![i](//e) --> ` + "\u202e\u200bz\r\n\r\n# h"),
}

func hostileWatch(s string) Watch {
	return Watch{
		Key:   "k",
		Moved: []MovedTag{{Image: s, Tag: s, Old: s, New: s, Place: s, More: 1}},
		Gone:  []GoneDigest{{Image: s, Tag: s, Digest: s, Place: s}},
	}
}

func TestWatch(t *testing.T) {
	for name, w := range watches {
		t.Run(name, func(t *testing.T) {
			golden(t, name, &txtar.Archive{Files: []txtar.File{
				{Name: "title", Data: []byte(w.Title() + "\n")},
				{Name: "body.md", Data: []byte(w.Body())},
			}})
		})
	}
}

// However much there is to report, GitHub takes it.
func TestWatchBounds(t *testing.T) {
	var w Watch
	for range 3000 {
		w.Moved = append(w.Moved, MovedTag{Image: strings.Repeat("é", 300), Tag: "1.2.3", Old: digestOf("a"), New: digestOf("b"), Place: strings.Repeat("/é", 150), More: 3})
		w.Gone = append(w.Gone, GoneDigest{Image: strings.Repeat("é", 300), Digest: digestOf("a"), Place: strings.Repeat("/é", 150)})
	}
	body := w.Body()
	if len(body) >= Limit {
		t.Errorf("%d bytes, want fewer than %d", len(body), Limit)
	}
	if n := strings.Count(body, "more images\n"); n != 2 {
		t.Errorf("%d lists say how many images are missing, want 2", n)
	}
}
