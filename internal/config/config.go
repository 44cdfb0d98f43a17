package config

import "github.com/pinnace-dev/pinnace/internal/document"

// APIVersion is the version of every document that Pinnace defines.
const APIVersion = "pinnace.dev/v1alpha1"

// A Config is the document .pinnace/config.yaml. Parse and Default fill in every
// default.
type Config struct {
	APIVersion      string            `json:"apiVersion"`
	Kind            string            `json:"kind"`
	Mode            Mode              `json:"mode"`
	Branches        []string          `json:"branches"` // managed bases besides the default branch
	Environments    []Environment     `json:"environments"`
	Apps            []App             `json:"apps"`
	Roles           Roles             `json:"roles"`
	GitHub          GitHub            `json:"github"`
	ServiceAccounts []User            `json:"serviceAccounts"` // machine users, who never approve
	Guard           Guard             `json:"guard"`
	Pin             Pin               `json:"pin"`
	Merge           Merge             `json:"merge"`
	Notify          []Notification    `json:"notify"`
	RegistryMap     map[string]string `json:"registryMap"` // registry host or "*" to mirror

	file  string
	marks document.Marks // where each value stands, by JSON pointer; nil in a Config built by hand
}

// A Mode says whether Pinnace acts.
type Mode string

// The modes.
const (
	ModeAct     Mode = "act"     // open pull requests, write checks
	ModeObserve Mode = "observe" // report, open nothing
)

// GitHub identifies the App that acts here.
type GitHub struct {
	AppID int64 `json:"appID"` // 0 where none is configured
}

// A Guard says what a change of .pinnace/ itself needs.
type Guard struct {
	ApproverCount int  `json:"approverCount"`
	AllowAuthor   bool `json:"allowAuthor"`
}

// Merge says how Pinnace merges.
type Merge struct {
	Method MergeMethod `json:"method"`
}

// A MergeMethod is a way to merge a pull request.
type MergeMethod string

// The merge methods.
const (
	MergeSquash      MergeMethod = "squash"
	MergeCommit      MergeMethod = "merge"
	MergeRebase      MergeMethod = "rebase"
	MergeFastForward MergeMethod = "fast-forward"
)

// Locate returns the line and column of the value at a JSON pointer, such as
// "/environments/0/paths/1"; zeros where it is not written in the file.
func (c *Config) Locate(pointer string) (line, column int) {
	m := c.marks[pointer]
	return m.Line, m.Column
}

// File returns the name that Parse was given.
func (c *Config) File() string { return c.file }

// Environment returns the environment of that name.
func (c *Config) Environment(name string) (Environment, bool) {
	for _, e := range c.Environments {
		if e.Name == name {
			return e, true
		}
	}
	return Environment{}, false
}

// App returns the configured app of that name.
func (c *Config) App(name string) (App, bool) {
	for _, a := range c.Apps {
		if a.Name == name {
			return a, true
		}
	}
	return App{}, false
}

// MirrorOf returns the host and path that look-ups of a registry go to.
func (c *Config) MirrorOf(registry string) (string, bool) {
	if m, ok := c.RegistryMap[registry]; ok {
		return m, true
	}
	m, ok := c.RegistryMap["*"]
	return m, ok
}
