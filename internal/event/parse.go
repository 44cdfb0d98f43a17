package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

const (
	maxPulls        = 20  // looks at pull requests from one payload
	maxRepositories = 300 // looks at repositories from one payload; more are a look everywhere
	maxName         = 100 // bytes of an owner's, a repository's or an action's name
)

// A payload is what every kind of event has, and the values that one kind reads besides.
type payload struct {
	reader
	action string
	inst   Subject // the installation
	repo   Look    // Repository 0 where it is about no one repository
	own    []value // of the kind's keys, nil where absent
}

// A kind says which keys besides the common ones an event is read for, and what they mean.
type kind struct {
	keys  []string
	looks func(*payload) []Look
}

// kinds are the events that say where to look
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads).
var kinds = map[string]kind{
	"push":                            {nil, repository},
	"create":                          {nil, repository},
	"delete":                          {nil, repository},
	"public":                          {nil, repository},
	"status":                          {nil, repository},
	"deployment_status":               {nil, repository},
	"repository_dispatch":             {nil, repository},
	"member":                          {nil, repository},
	"team_add":                        {nil, repository},
	"issues":                          {nil, repository},
	"branch_protection_configuration": {nil, repository},
	"branch_protection_rule":          {nil, repository},
	"repository_ruleset":              {nil, repositoryOrAll},
	"team":                            {nil, repositoryOrAll},
	"membership":                      {nil, everywhere},
	"installation_target":             {nil, everywhere},
	"organization":                    {nil, organization},
	"installation":                    {nil, installation},
	"installation_repositories":       {[]string{"repositories_added", "repositories_removed"}, listed},
	"repository":                      {nil, renamed},
	"pull_request":                    {[]string{"pull_request"}, pull},
	"pull_request_review":             {[]string{"pull_request"}, pull},
	"pull_request_review_comment":     {[]string{"pull_request"}, pull},
	"pull_request_review_thread":      {[]string{"pull_request"}, pull},
	"issue_comment":                   {[]string{"issue"}, comment},
	"check_run":                       {[]string{"check_run"}, on(pulls, "completed", "rerequested", "requested_action")},
	"check_suite":                     {[]string{"check_suite"}, on(pulls, "completed", "rerequested")},
	"workflow_run":                    {[]string{"workflow_run"}, on(pulls, "completed")},
	"merge_group":                     {[]string{"merge_group"}, group},
	"package":                         {[]string{"package"}, on(container, "published", "updated")},
	"registry_package":                {[]string{"registry_package"}, on(container, "published", "updated")},
	"ping":                            {nil, nowhere},
	"github_app_authorization":        {nil, nowhere},
	"marketplace_purchase":            {nil, nowhere},
	"security_advisory":               {nil, nowhere},
}

// Parse returns the action that a webhook's payload names and where it says to look. An event
// that is not known says nothing, and is no error; nor are an id or a name that are absent or
// of another type, which are left out. The error says that the body is none of GitHub's: no
// JSON object, nested too deep, or with a key twice in what was read.
//
// Without an installation there is nowhere to look: it is what has the right to.
func Parse(event string, body []byte) (action string, looks []Look, err error) {
	k, known := kinds[event]
	if !known {
		return "", nil, nil
	}
	if !json.Valid(body) {
		return "", nil, fmt.Errorf("read the payload of %s: it is no JSON", event)
	}
	top := value(bytes.Trim(body, " \n\t\r"))
	if !top.object() {
		return "", nil, fmt.Errorf("read the payload of %s: it is no JSON object", event)
	}
	var p payload
	m := p.members(top, append([]string{"action", "installation", "repository"}, k.keys...)...)
	p.action, p.own = word(m[0].text(maxName)), m[3:]
	p.inst = Subject{Installation: p.member(m[1], "id").id()}
	p.repo = p.named(m[2])
	if p.err == nil && p.inst.Installation != 0 {
		looks = k.looks(&p)
	}
	if p.err != nil {
		return "", nil, fmt.Errorf("read the payload of %s: %w", event, p.err)
	}
	return p.action, looks, nil
}

// named reads a repository's id and name.
func (p *payload) named(v value) Look {
	m := p.members(v, "id", "full_name")
	l := Look{Subject: Subject{Installation: p.inst.Installation, Repository: m[0].id()}}
	owner, name, ok := strings.Cut(m[1].text(2*maxName+1), "/")
	if owner, name = word(owner), word(name); ok && owner != "" && name != "" && l.Repository != 0 {
		l.Owner, l.Name = owner, name
	}
	return l
}

// about returns the look at the repository with a pull request to judge first. Without a
// repository, there is no look.
func (p *payload) about(number value) []Look {
	l := p.repo
	if l.Repository == 0 {
		return nil
	}
	if n := number.id(); n <= math.MaxInt32 {
		l.Pull = int(n)
	}
	return []Look{l}
}

// word returns s where it is made of what GitHub makes names of, and "" otherwise.
func word(s string) string {
	if len(s) > maxName {
		return ""
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return ""
		}
	}
	return s
}
