package onboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
)

// File returns the text of a fresh .pinnace/config.yaml. What was detected is written out, and
// marked where it is guessed; a promotion order that the names alone do not tell is a comment.
// Names are made valid, and images that no app may have are left out. appID is the App that
// will act, 0 where it is not known.
func (l Layout) File(appID int64) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", config.SchemaID)
	b.WriteString("# Every key with its default: docs/reference/configuration.md of Pinnace, or `pinnace config schema`.\n")
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\n", config.APIVersion, config.KindConfig)
	b.WriteString("mode: act  # or observe: report, open nothing\n\n")
	writeEnvironments(&b, unique(l.Environments))
	writeApps(&b, l.Apps)
	if appID > 0 {
		fmt.Fprintf(&b, "github: {appID: %d}  # the App whose records are believed\n\n", appID)
	}
	b.WriteString("# Who may do what; more with teams: [org/team] and users: [\"login#id\"].\n")
	b.WriteString("# roles:\n#   promoter: {permission: write}  # may approve\n\n")
	b.WriteString("# pin:\n#   ignore: [\"ghcr.io/acme/*\"]  # images that are left alone\n#   exclude: [\"vendor/**\"]     # files that are left alone\n")
	return []byte(b.String())
}

// unique makes names valid and joins environments whose names become the same. One
// glob stays with the first environment that has it.
func unique(found []Environment) []Environment {
	var out []Environment
	taken := map[string]bool{}
	for _, e := range found {
		e.Name = config.Slug(e.Name)
		var paths []string
		for _, p := range e.Paths {
			if config.IsPath(p) && !taken[p] {
				taken[p] = true
				paths = append(paths, p)
			}
		}
		if e.Name == "" || len(paths) == 0 {
			continue
		}
		if i := slices.IndexFunc(out, func(o Environment) bool { return o.Name == e.Name }); i >= 0 {
			out[i].Paths = append(out[i].Paths, paths...)
			out[i].Production = out[i].Production || e.Production
			continue
		}
		e.Paths = paths
		out = append(out, e)
	}
	slices.SortStableFunc(out, byStage)
	return out
}

func writeEnvironments(b *strings.Builder, found []Environment) {
	if len(found) == 0 {
		b.WriteString("# No environments were found. Without any, images are pinned and checked all the same.\n")
		b.WriteString("# environments:\n#   - name: dev\n#     paths: [\"envs/dev/**\"]\n#   - name: prod\n#     paths: [\"envs/prod/**\"]\n#     after: [dev]\n#     production: true\n\n")
		return
	}
	b.WriteString("environments:  # by the names of directories and files: correct what is guessed wrong\n")
	for _, e := range found {
		fmt.Fprintf(b, "  - name: %s\n    paths: %s\n", scalar(e.Name), flow(e.Paths))
		if e.Production {
			b.WriteString("    production: true  # a guess by name\n")
		}
		before, sure := previous(found, e.Name)
		switch {
		case len(before) == 0:
		case sure:
			fmt.Fprintf(b, "    after: %s  # a guess by name: what runs there is promoted here\n", flow(before))
		case len(before) == 1:
			fmt.Fprintf(b, "    # after: %s  # a guess by name\n", flow(before))
		default:
			fmt.Fprintf(b, "    # after: %s  # a guess by name; afterAny where one of them is enough\n", flow(before))
		}
	}
	b.WriteByte('\n')
}

// previous returns the environments of the stage before, and whether the names
// alone say so: both are well known, and each stage has one environment.
func previous(found []Environment, name string) (names []string, sure bool) {
	stage, sure := stageOf(name)
	if stage == 0 {
		return nil, false
	}
	best := 0
	for _, e := range found {
		if s, _ := stageOf(e.Name); s < stage {
			best = max(best, s)
		}
	}
	peers := 0
	for _, e := range found {
		s, known := stageOf(e.Name)
		switch {
		case s == stage:
			peers++
		case s == best && best > 0:
			names = append(names, e.Name)
			sure = sure && known
		}
	}
	return names, sure && peers == 1 && len(names) == 1
}

func writeApps(b *strings.Builder, found []App) {
	b.WriteString("# Each image repository is an app of its own, named by its last path segment.\n# Name those that are promoted together:\n")
	var apps []App
	names, owned := map[string]bool{}, map[string]bool{}
	for _, a := range found {
		var images []string
		for _, name := range a.Images {
			ref, err := image.Parse(name)
			if err == nil && config.IsRepository(name) && !owned[ref.Repository()] {
				owned[ref.Repository()] = true
				images = append(images, name)
			}
		}
		if !config.IsApp(a.Name) {
			a.Name = config.Slug(a.Name)
		}
		if a.Name == "" || len(images) == 0 || names[a.Name] || !config.IsApp(a.Name) {
			continue
		}
		names[a.Name] = true
		apps = append(apps, App{a.Name, images})
	}
	if len(apps) == 0 {
		b.WriteString("# apps:\n#   - name: shop\n#     images: [\"ghcr.io/acme/shop\", \"ghcr.io/acme/shop-worker\"]\n\n")
		return
	}
	b.WriteString("apps:\n")
	for _, a := range apps {
		fmt.Fprintf(b, "  - name: %s\n    images: %s\n", scalar(a.Name), flow(a.Images))
	}
	b.WriteByte('\n')
}

// scalar spells a name, in quotes where YAML would read something else than text.
func scalar(s string) string {
	first := s[0]
	switch s {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return quoted(s)
	}
	if first >= '0' && first <= '9' {
		return quoted(s)
	}
	return s
}

// quoted spells text in double quotes, as YAML and JSON both read it.
func quoted(s string) string { return fmt.Sprintf("%q", s) }

func flow(items []string) string {
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = quoted(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
