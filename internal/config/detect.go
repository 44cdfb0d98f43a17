package config

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Detected is what a repository was seen to hold, for Init.
type Detected struct {
	Environments []DetectedEnvironment
	Apps         []DetectedApp
}

// A DetectedEnvironment is an environment that the layout suggests.
type DetectedEnvironment struct {
	Name       string
	Paths      []string // globs
	Production bool
}

// A DetectedApp is an app and its image repositories.
type DetectedApp struct {
	Name   string
	Images []string
}

// containers are directories whose children are environments.
var containers = []string{"envs", "env", "environments", "environment", "overlays", "clusters", "stages"}

// shared are children of a container that are no environment.
var shared = []string{"base", "bases", "common", "shared", "components", "component", "lib", "default", "defaults", "templates"}

// stages maps well-known names to their place in the promotion order.
var stages = map[string]int{
	"sandbox": 1, "local": 1, "dev": 1, "devel": 1, "develop": 1, "development": 1,
	"int": 2, "integration": 2, "test": 2, "testing": 2, "tst": 2, "sit": 2, "qa": 2,
	"uat": 3, "stage": 3, "staging": 3, "stg": 3, "acc": 3, "acceptance": 3, "preprod": 3, "pre-prod": 3, "preproduction": 3,
	"prod": 4, "prd": 4, "production": 4, "live": 4,
}

const production = 4

// stageOf returns the place of a name in the promotion order, and whether the name
// alone says so; "prod-eu" is a guess. 0 is unknown.
func stageOf(name string) (stage int, sure bool) {
	if s, ok := stages[name]; ok {
		return s, true
	}
	if strings.Contains(name, "preprod") || strings.Contains(name, "pre-prod") || strings.Contains(name, "nonprod") || strings.Contains(name, "non-prod") {
		return 0, false
	}
	for part := range strings.SplitSeq(name, "-") {
		if s, ok := stages[part]; ok {
			stage = max(stage, s)
		}
	}
	return stage, false
}

// A site is where the directory of an environment stands.
type site struct {
	above string // directories above its container, with a slash at the end
	from  string // the rest of the glob
}

// Detect finds environments by the names of directories: the children of envs,
// environments, overlays, clusters and the like, and directories and values files
// that have a well-known name. Paths are slash paths, relative to the repository
// root, of the files that hold images. The globs of the result are in no two
// environments for these paths.
func Detect(paths []string) []DetectedEnvironment {
	sites := map[string]map[site]bool{}
	for _, p := range paths {
		name, s, ok := locate(p)
		if !ok {
			continue
		}
		if sites[name] == nil {
			sites[name] = map[site]bool{}
		}
		sites[name][s] = true
	}
	found := detected(sites, true)
	if c := configOf(found); len(c.Overlaps(paths)) > 0 {
		found = detected(sites, false)
	}
	return found
}

func configOf(found []DetectedEnvironment) *Config {
	c := &Config{}
	for _, d := range found {
		c.Environments = append(c.Environments, Environment{Name: d.Name, Paths: d.Paths})
	}
	return c
}

// locate returns the environment that a path is of, by the outermost directory
// that says so.
func locate(p string) (name string, s site, ok bool) {
	if strings.ContainsAny(p, "\\\n") || strings.HasPrefix(p, "!") {
		return "", site{}, false
	}
	parts := strings.Split(path.Clean(p), "/")
	dirs := parts[:len(parts)-1]
	for i, dir := range dirs {
		if i+1 < len(dirs) && slices.Contains(containers, dir) {
			if n := Slug(dirs[i+1]); n != "" && !slices.Contains(shared, dirs[i+1]) {
				return n, site{prefix(dirs[:i]), literal(dir) + "/" + literal(dirs[i+1]) + "/**"}, true
			}
		}
		if s, sure := stageOf(Slug(dir)); sure && s > 0 {
			return Slug(dir), site{prefix(dirs[:i]), literal(dir) + "/**"}, true
		}
	}
	file := parts[len(parts)-1]
	stem := strings.TrimSuffix(file, path.Ext(file))
	for _, n := range []string{strings.TrimPrefix(stem, "values-"), strings.TrimPrefix(stem, "values."), strings.TrimSuffix(stem, ".values")} {
		if s, sure := stageOf(n); sure && s > 0 && n != stem {
			return n, site{prefix(dirs), literal(file)}, true
		}
	}
	return "", site{}, false
}

func prefix(dirs []string) string {
	var b strings.Builder
	for _, d := range dirs {
		b.WriteString(literal(d) + "/")
	}
	return b.String()
}

// literal spells a name as a glob that matches it alone.
func literal(name string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]", "{", "[{]").Replace(name)
}

// detected turns sites into environments. Sites that differ in the directory above
// the container only become one glob where generalise says so.
func detected(sites map[string]map[site]bool, generalise bool) []DetectedEnvironment {
	var found []DetectedEnvironment
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		siblings := map[site]int{}
		for s := range sites[name] {
			siblings[s.widened()]++
		}
		globs := map[string]bool{}
		for s := range sites[name] {
			if wide := s.widened(); generalise && siblings[wide] > 1 {
				s = wide
			}
			globs[s.above+s.from] = true
		}
		stage, _ := stageOf(name)
		found = append(found, DetectedEnvironment{Name: name, Paths: slices.Sorted(maps.Keys(globs)), Production: stage == production})
	}
	slices.SortStableFunc(found, func(a, b DetectedEnvironment) int {
		x, _ := stageOf(a.Name)
		y, _ := stageOf(b.Name)
		return x - y
	})
	return found
}

// widened puts * for the directory above the container.
func (s site) widened() site {
	above := strings.TrimSuffix(s.above, "/")
	if above == "" {
		return s
	}
	return site{strings.TrimSuffix(above, path.Base(above)) + "*/", s.from}
}
