package cli

import "github.com/pinnace-dev/pinnace/internal/reference"

// exits says what each exit status means, and what it means to verbs that have a meaning of
// their own for it.
func exits() []reference.Exit {
	return []reference.Exit{
		{Status: exitDone, Means: "done, and nothing to complain of", Verbs: []reference.Meaning{
			{Verb: "doctor", Means: "all is well, or there are warnings only"},
		}},
		{Status: exitError, Means: "an error: standard error says which", Verbs: []reference.Meaning{
			{Verb: "check", Means: "an error, or a registry gave no answer about an image"},
			{Verb: "images", Means: "an error, or a registry or a repository gave no answer"},
			{Verb: "policy validate", Means: "a document has an error"},
			{Verb: "policy test", Means: "a file of cases or a document has an error"},
			{Verb: "config validate", Means: "the configuration has an error"},
		}},
		{Status: exitUsage, Means: "wrong usage: an unknown flag, a missing argument"},
		{Status: exitFindings, Only: true, Means: "there is something to look at; only the commands that are named end with it", Verbs: []reference.Meaning{
			{Verb: "check", Means: "there are findings"},
			{Verb: "pin", Means: "something would change, with `--check`"},
			{Verb: "where", Means: "nothing holds the image"},
			{Verb: "decide", Means: "the pull request may not be merged"},
			{Verb: "promote", Means: "the request is refused, waits, or was not answered in time"},
			{Verb: "rollback", Means: "the request is refused, waits, or was not answered in time"},
			{Verb: "policy test", Means: "a case fails"},
			{Verb: "policy explain", Means: "the change may not be merged"},
			{Verb: "doctor", Means: "there are problems"},
		}},
		{Status: exitAuth, Means: "a registry wants a login, or GitHub a token, another token, or another key of the App"},
	}
}
