package onboard

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
)

// An Environment is one that the layout suggests.
type Environment struct {
	Name       string
	Paths      []string // globs
	Production bool
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

// A site is where an environment stands.
type site struct {
	above string // directories above its container, with a slash at the end
	from  string // the rest of the glob
}

// environments finds environments by names: the children of envs, environments, overlays,
// clusters and the like, and directories and files that have a well-known name. No two of
// them have one of the paths.
func environments(paths []string) []Environment {
	series := seriesOf(paths)
	sites := map[string]map[site]bool{}
	for _, p := range paths {
		name, s, ok := locate(p, series)
		if !ok {
			continue
		}
		if sites[name] == nil {
			sites[name] = map[site]bool{}
		}
		sites[name][s] = true
	}
	found := detected(sites, true)
	if len(configOf(found).Overlaps(paths)) > 0 {
		found = detected(sites, false)
	}
	return found
}

func configOf(found []Environment) *config.Config {
	c := &config.Config{}
	for _, d := range found {
		c.Environments = append(c.Environments, config.Environment{Name: d.Name, Paths: d.Paths})
	}
	return c
}

// locate returns the environment that a path is of, by the outermost directory
// that says so.
func locate(p string, series map[string]map[string]bool) (name string, s site, ok bool) {
	if strings.ContainsAny(p, "\\\n") || strings.HasPrefix(p, "!") {
		return "", site{}, false
	}
	parts := strings.Split(path.Clean(p), "/")
	dirs := parts[:len(parts)-1]
	for i, dir := range dirs {
		if i+1 < len(dirs) && slices.Contains(containers, dir) {
			if n := config.Slug(dirs[i+1]); n != "" && !slices.Contains(shared, dirs[i+1]) {
				return n, site{prefix(dirs[:i]), literal(dir) + "/" + literal(dirs[i+1]) + "/**"}, true
			}
		}
		if s, sure := stageOf(config.Slug(dir)); sure && s > 0 {
			return config.Slug(dir), site{prefix(dirs[:i]), literal(dir) + "/**"}, true
		}
	}
	file := parts[len(parts)-1]
	if rest, n, ok := staged(file); ok && (isValues(rest) || len(series[path.Join(path.Dir(p), rest)]) > 1) {
		return n, site{prefix(dirs), literal(file)}, true
	}
	return "", site{}, false
}

// staged splits the name of a file into a well-known name of an environment, at one of its
// ends, and the rest, where <> stands for it.
func staged(file string) (rest, name string, ok bool) {
	ext := path.Ext(file)
	stem := strings.TrimSuffix(file, ext)
	if _, sure := stageOf(stem); sure {
		return "<>" + ext, stem, true
	}
	if i := strings.LastIndexAny(stem, "-._"); i > 0 {
		if _, sure := stageOf(stem[i+1:]); sure {
			return stem[:i+1] + "<>" + ext, stem[i+1:], true
		}
	}
	if i := strings.IndexAny(stem, "-._"); i > 0 {
		if _, sure := stageOf(stem[:i]); sure {
			return "<>" + stem[i:] + ext, stem[:i], true
		}
	}
	return "", "", false
}

// isValues knows the files of values of a Helm chart, one of which is enough.
func isValues(rest string) bool {
	stem := strings.TrimSuffix(rest, path.Ext(rest))
	return stem == "values-<>" || stem == "values.<>" || stem == "values_<>" || stem == "<>.values" || stem == "<>-values"
}

// seriesOf finds files of one directory that differ in the name of an environment alone,
// such as shop-dev.yaml and shop-prod.yaml: one of them would say nothing.
func seriesOf(paths []string) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, p := range paths {
		if rest, name, ok := staged(path.Base(p)); ok {
			key := path.Join(path.Dir(p), rest)
			if out[key] == nil {
				out[key] = map[string]bool{}
			}
			out[key][name] = true
		}
	}
	return out
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
func detected(sites map[string]map[site]bool, generalise bool) []Environment {
	var found []Environment
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
		found = append(found, Environment{Name: name, Paths: slices.Sorted(maps.Keys(globs)), Production: stage == production})
	}
	slices.SortStableFunc(found, byStage)
	return found
}

func byStage(a, b Environment) int {
	x, _ := stageOf(a.Name)
	y, _ := stageOf(b.Name)
	return x - y
}

// widened puts * for the directory above the container.
func (s site) widened() site {
	above := strings.TrimSuffix(s.above, "/")
	if above == "" {
		return s
	}
	return site{strings.TrimSuffix(above, path.Base(above)) + "*/", s.from}
}
