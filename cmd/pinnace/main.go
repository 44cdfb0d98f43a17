// Command pinnace pins container images in git and promotes what was tested.
package main

import (
	"os"

	"github.com/pinnace-dev/pinnace/internal/cli"
)

func main() { os.Exit(cli.Main()) }
