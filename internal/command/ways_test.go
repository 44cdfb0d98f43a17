package command

import (
	"slices"
	"testing"
)

func TestWays(t *testing.T) {
	roles := []string{"requester", "promoter", "deployer", "admin", "writer", "anyone", "whoever holds the App's key"}
	doors := []string{"comment", "cli", "review", "button", "merge", "close"}
	places := []string{pull, thread, request}
	seen := map[Way]bool{}
	for _, w := range Ways() {
		if !slices.Contains(roles, w.Role) || !slices.Contains(doors, w.Door) || !slices.Contains(places, w.Where) || w.What == "" {
			t.Errorf("%+v has a role, a door or a place that nobody knows, or does nothing", w)
		}
		if w.Verb != "" && !slices.Contains(verbs, w.Verb) {
			t.Errorf("%+v is of no verb", w)
		}
		if w.Door == "comment" && (w.Verb == "" || !w.Unedited) {
			t.Errorf("%+v: a comment acts by its verb, and as it was submitted only", w)
		}
		if key := (Way{Verb: w.Verb, Door: w.Door, Role: w.Role, What: w.What}); seen[key] {
			t.Errorf("%+v is there twice", w)
		} else {
			seen[key] = true
		}
	}
	for _, v := range verbs {
		if !slices.ContainsFunc(Ways(), func(w Way) bool { return w.Verb == v && w.Door == "comment" }) {
			t.Errorf("nobody may say /%s", v)
		}
		if got, problems := Parse(forms[v]); len(got) != 1 || got[0].Verb != v || len(problems) > 0 {
			t.Errorf("the example %q is read as %v, with problems %v", forms[v], got, problems)
		}
	}
}

// TestWaysOfPower holds the rows that would let somebody do more than the rules do.
func TestWaysOfPower(t *testing.T) {
	for verb, role := range map[Verb]string{
		Promote: "requester", Rollback: "requester", Deploy: "deployer", BreakGlass: "admin", ApproveConfig: "admin", Reseal: "writer",
	} {
		for _, w := range Ways() {
			if w.Verb == verb && w.Role != role && (w.Door != "cli" || w.Role != "whoever holds the App's key") {
				t.Errorf("%+v: %s may do it, want %s only", w, w.Role, role)
			}
		}
	}
}
