package fleet_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// TestFloorTooLarge: an organisation's repository that does not fit the bound of what is read
// into memory is unknown, so that nobody can stop the server of all with it.
func TestFloorTooLarge(t *testing.T) {
	w := newWorld(t)
	noise := make([]byte, 18<<20)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	repo := w.config("acme", "config", true)
	w.Repository("acme", ".github", sandbox.RepositoryOptions{Files: map[string]string{".pinnace/policies/everywhere.yaml": everywhere, "big.bin": string(noise)}})
	repo.Commit("hand", "ada", "hand", map[string]string{"envs/prod/shop.yaml": deployment("ghcr.io/acme/shop:1.5")})
	n, _ := repo.OpenPullRequest("ada", "by hand", "", "hand", "main")
	w.app.Install("acme")
	v := w.surveyed()
	for _, x := range v {
		if x.Name == "config" {
			w.visit(x)
		}
	}
	text := ""
	for _, q := range repo.PullRequests() {
		for _, c := range repo.Checks(q.Head.SHA) {
			if q.Number == n {
				text += c.Summary + c.Text
			}
		}
	}
	if strings.Contains(text, "everywhere") {
		t.Error("18 MiB of noise were taken into memory to read one policy: no bound but 2 GiB of a pack applies")
	}
}
