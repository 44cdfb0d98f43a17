package guard

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Whoever cannot pass by a comment is not told to write one, although the only admin could.
func TestNoAdviceInVain(t *testing.T) {
	in := world(t)
	in.Admins = 1
	in.Author, in.Writers = dave, []promotion.Identity{dave}
	d := Decide(in)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != promotion.Waiting || strings.Contains(string(text), ApproveCommand) {
		t.Errorf("got %s\n%s", d.Status, text)
	}
}
