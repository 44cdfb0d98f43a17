package config

// An App is a set of images that are promoted together.
type App struct {
	Name   string   `json:"name"`
	Images []string `json:"images"` // repositories as written: "ghcr.io/acme/shop", "nginx"
	Paths  []string `json:"paths"`  // globs that narrow its places; none: all
	Source string   `json:"source"` // owner/name of the repository where it is built
}
