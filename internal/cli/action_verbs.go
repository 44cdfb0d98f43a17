package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/action"
)

// verbs are the command lines to run.
func (s *step) verbs() [][]string {
	in := s.in
	var common []string
	for _, m := range in.RegistryMap {
		common = append(common, "--registry-map="+m)
	}
	if in.DryRun {
		common = append(common, "--dry-run")
	}
	switch in.Command {
	case action.Pin, action.Check:
		if in.CreatePR {
			return [][]string{s.pinned(common)}
		}
		if in.Config != "" {
			common = append(common, "--config="+in.Config)
		}
		var all [][]string
		for i, p := range in.Paths {
			if !slices.ContainsFunc(in.Paths[:i], func(q string) bool { return within(p, q) && within(q, p) }) &&
				!slices.ContainsFunc(in.Paths, func(q string) bool { return within(p, q) && !within(q, p) }) {
				all = append(all, append(append([]string{in.Command}, common...), "--", p))
			}
		}
		return all
	case action.Promote:
		args := append([]string{"promote"}, common...)
		args = append(args, "--to="+strings.Join(in.To, ","))
		if in.From != "" {
			args = append(args, "--from="+in.From)
		}
		if in.Image != "" {
			args = append(args, "--image="+in.Image)
		}
		return [][]string{append(args, "--", in.App)}
	case action.Decide:
		args := append([]string{"decide", "--merge"}, common...)
		pulls := s.run.Pulls
		if in.PullRequest != 0 {
			pulls = []int{in.PullRequest}
		}
		if len(pulls) == 0 {
			return [][]string{append(args, "--all")}
		}
		var all [][]string
		for _, n := range pulls {
			all = append(all, append(args[:len(args):len(args)], strconv.Itoa(n)))
		}
		return all
	}
	return [][]string{append([]string{"reconcile"}, common...)}
}

// within says whether a path that is there is another one or below it, so that looking at that one
// is enough.
func within(p, q string) bool {
	below, err := filepath.Rel(q, p)
	if err != nil || !filepath.IsLocal(below) {
		return false
	}
	_, err = os.Lstat(p)
	return err == nil
}

// spoken is a command line as the log shows it, without what a mirror is logged in with.
func spoken(args []string) string {
	args = slices.Clone(args)
	for i, a := range args {
		if at := strings.LastIndex(a, "@"); at >= 0 && strings.HasPrefix(a, "--registry-map=") {
			args[i] = "--registry-map=..." + a[at:]
		}
	}
	return strings.Join(args, " ")
}

// pinned is the command line that opens pull requests of pins.
func (s *step) pinned(common []string) []string {
	in := s.in
	args := append([]string{"reconcile", "--only=pins"}, common...)
	for _, f := range [][2]string{{"branch", in.Branch}, {"title", in.Title}, {"commit-message", in.CommitMessage}} {
		if f[1] != "" {
			args = append(args, "--"+f[0]+"="+f[1])
		}
	}
	for _, l := range in.Labels {
		args = append(args, "--label="+l)
	}
	if in.Branch != "" {
		for _, p := range in.Paths {
			args = append(args, "--path="+p)
		}
	}
	return args
}
