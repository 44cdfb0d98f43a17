package setup

import "github.com/pinnace-dev/pinnace/internal/github"

// A Keeper stores the credentials of an App.
type Keeper interface {
	// Ready says why nothing could be kept. It is asked before anything is registered, since
	// GitHub shows a private key once.
	Ready() error
	// Keep stores everything or nothing, and says where.
	Keep(github.Registration) (places []string, err error)
}
