package event

import (
	"slices"
	"strings"
)

func nowhere(*payload) []Look { return nil }

// on reads some actions only.
func on(f func(*payload) []Look, actions ...string) func(*payload) []Look {
	return func(p *payload) []Look {
		if !slices.Contains(actions, p.action) {
			return nil
		}
		return f(p)
	}
}

func repository(p *payload) []Look { return p.about(nil) }

// everywhere is for what changes who someone is: rules of every repository may count them.
func everywhere(p *payload) []Look { return []Look{{Subject: p.inst, Everywhere: true}} }

// repositoryOrAll is for what an organization has too: its rulesets and teams.
func repositoryOrAll(p *payload) []Look {
	if p.repo.Repository != 0 {
		return repository(p)
	}
	return everywhere(p)
}

func organization(p *payload) []Look {
	switch p.action {
	case "member_invited":
		return nil
	case "deleted":
		return []Look{{Subject: p.inst, Gone: true}}
	}
	return everywhere(p)
}

func installation(p *payload) []Look {
	if p.action == "deleted" || p.action == "suspend" {
		return []Look{{Subject: p.inst, Gone: true}}
	}
	return everywhere(p)
}

// listed is for repositories that were put on the installation's list, or taken off it.
func listed(p *payload) []Look {
	looks := []Look{{Subject: p.inst}}
	for i, list := range p.own {
		repos, more := list.elements(maxRepositories)
		if more {
			return everywhere(p)
		}
		for _, v := range repos {
			if l := p.named(v); l.Repository != 0 {
				l.Gone = i == 1
				looks = append(looks, l)
			}
		}
	}
	return looks
}

// renamed is for what happens to a repository as such. Most of it changes the installation's
// list of repositories, too.
func renamed(p *payload) []Look {
	looks := repository(p)
	switch p.action {
	case "deleted", "transferred":
		for i := range looks {
			looks[i].Gone = true
		}
	case "edited", "publicized", "privatized":
		return looks
	}
	return append(looks, Look{Subject: p.inst})
}

func pull(p *payload) []Look { return p.about(p.member(p.own[0], "number")) }

// comment is for comments on pull requests and on issues, which count their numbers together.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment
func comment(p *payload) []Look {
	m := p.members(p.own[0], "number", "pull_request")
	if m[1].object() {
		return p.about(m[0])
	}
	return p.about(nil)
}

// pulls is for what runs on a commit: it names the pull requests whose head that is. Those
// into another repository are another's.
func pulls(p *payload) []Look {
	list, _ := p.member(p.own[0], "pull_requests").elements(maxPulls)
	var looks []Look
	for _, v := range list {
		m := p.members(v, "number", "base")
		into := p.member(p.member(m[1], "repo"), "id").id()
		if into == p.repo.Repository && m[0].id() != 0 {
			looks = append(looks, p.about(m[0])...)
		}
	}
	if len(looks) == 0 {
		return repository(p)
	}
	return looks
}

// group is for merge groups, whose branch names the last pull request in it:
// gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe6
func group(p *payload) []Look {
	ref := p.member(p.own[0], "head_ref").text(1024)
	_, tail, _ := strings.Cut(ref[strings.LastIndexByte(ref, '/')+1:], "pr-")
	number, _, _ := strings.Cut(tail, "-")
	return p.about(value(number))
}
