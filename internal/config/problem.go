package config

import "github.com/pinnace-dev/pinnace/internal/document"

// A Severity says whether a problem stops its file from being used.
type Severity = document.Severity

// The severities.
const (
	Error   = document.Error
	Warning = document.Warning
)

// A Problem is a mistake and its place.
type Problem = document.Problem

// Problems are the mistakes of one or more files, by place.
type Problems = document.Problems
