package promotion

import (
	"errors"
	"fmt"
	"testing"
)

func TestObstacles(t *testing.T) {
	one, two := &Blocked{Rule: RuleCheck, Text: "Required.", Check: "ci"}, &Blocked{Rule: RuleQueue, Text: "Queue"}
	changed := &Conflict{Rule: RuleHead, Text: "Head branch was modified."}
	for name, c := range map[string]struct {
		err  error
		want []*Blocked
	}{
		"nothing":          {nil, nil},
		"another error":    {errors.New("no"), nil},
		"a bare class":     {fmt.Errorf("merging: %w", ErrBlocked), nil},
		"one, wrapped":     {fmt.Errorf("merging: %w", one), []*Blocked{one}},
		"several":          {fmt.Errorf("merging: %w", errors.Join(ErrBlocked, one, errors.Join(changed, two))), []*Blocked{one, two}},
		"what has changed": {changed, nil},
	} {
		got := Obstacles(c.err)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %v, want %v", name, got[i], c.want[i])
			}
		}
	}
	if !errors.Is(one, ErrBlocked) || errors.Is(one, ErrConflict) || one.Error() != "Required" {
		t.Errorf("%v is of the wrong class", one)
	}
	if !errors.Is(changed, ErrConflict) || errors.Is(changed, ErrBlocked) || changed.Error() != "Head branch was modified" {
		t.Errorf("%v is of the wrong class", changed)
	}
}
