package config

import "github.com/pinnace-dev/pinnace/internal/document"

// A Duration is a length of time, written as Go does with days and weeks besides:
// "90m", "12h", "2d", "1w12h".
type Duration = document.Duration

// ParseDuration reads a duration of at most 366 days, not negative.
func ParseDuration(s string) (Duration, error) { return document.ParseDuration(s) }
