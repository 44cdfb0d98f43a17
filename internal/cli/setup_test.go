package cli

import (
	"slices"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/setup"
)

// TestPermissionsAgree: the App asks for what tokens are narrowed to, at that level, and for
// nothing else but what it takes to hear of events.
func TestPermissionsAgree(t *testing.T) {
	asked, all := map[string]string{}, map[string]string{}
	for _, p := range usual() {
		asked[p.Name], all[p.Name] = p.Level, "write"
	}
	used := fleet.Permissions(all)
	for name, level := range used {
		if asked[name] != level {
			t.Errorf("%s: tokens have %s, and the App asks for %q", name, level, asked[name])
		}
	}
	events := setup.Events(usual())
	for name := range asked {
		if used[name] == "" && !slices.ContainsFunc(events, func(e setup.Event) bool { return e.Needs == name }) {
			t.Errorf("%s is asked for, and nothing uses it", name)
		}
	}
}
