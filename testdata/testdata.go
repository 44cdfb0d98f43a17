// Package testdata holds the config repository that `pinnace demo` works on: the files of
// demo, with demo.yaml as .pinnace/config.yaml.
package testdata

import "embed"

// Demo is the directory demo and the file demo.yaml.
//
//go:embed all:demo demo.yaml
var Demo embed.FS
