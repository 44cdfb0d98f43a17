package scenario

import (
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

// DefaultConfig is the configuration of a suite that gives none.
const DefaultConfig = `apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: ["envs/dev/**"]}
  - {name: staging, paths: ["envs/staging/**"], after: [dev]}
  - {name: prod, paths: ["envs/prod/**"], after: [staging], production: true}
apps:
  - {name: shop, images: [ghcr.io/acme/shop], source: acme/shop}
  - {name: web, images: [ghcr.io/acme/web]}
`

// Default returns the configuration of [DefaultConfig].
func Default() *config.Config {
	c, problems := config.Parse(configName, []byte(DefaultConfig))
	if c == nil {
		panic("scenario: default configuration: " + problems.Error()) // unreachable: a test reads it
	}
	return c
}

// World returns what documents may speak of in the suite.
func (s Suite) World() policy.World { return rulebook.WorldOf(s.Config) }
