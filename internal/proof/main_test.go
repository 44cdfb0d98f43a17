package proof

import (
	"os"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/cli"
)

// asPinnace makes the test binary the program itself.
const asPinnace = "PINNACE_PROOF_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asPinnace) != "" {
		watchCommits()
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}
