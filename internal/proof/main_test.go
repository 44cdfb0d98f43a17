package proof

import (
	"flag"
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
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // stories wait most of their time
		panic(err)
	}
	os.Exit(m.Run())
}
