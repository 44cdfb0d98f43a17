package manifest

import (
	"path"
	"strings"
)

// A Format says how the bytes of a file are read. Only what the structure of the
// bytes cannot tell is taken from the file's name.
type Format int

// The formats.
const (
	None          Format = iota // not a file that can hold images
	YAML                        // YAML or JSON, told apart by structure
	Values                      // a Helm chart's values
	Kustomization               // kustomization.yaml, with or without a kind
	Workflow                    // a GitHub, Gitea or Forgejo workflow
	Action                      // action.yml
	Compose                     // a compose file
	GitLab                      // .gitlab-ci.yml and its includes
	Dockerfile                  // Dockerfile or Containerfile
)

// FormatOf tells the format of a file by its slash-separated path.
func FormatOf(name string) Format {
	dir, base := path.Split(name)
	lower := strings.ToLower(base)
	switch lower {
	case "dockerfile", "containerfile":
		return Dockerfile
	case "kustomization.yaml", "kustomization.yml", "kustomization":
		return Kustomization
	}
	if strings.HasPrefix(lower, "dockerfile.") || strings.HasPrefix(lower, "containerfile.") ||
		strings.HasSuffix(lower, ".dockerfile") || strings.HasSuffix(lower, ".containerfile") {
		if !strings.HasSuffix(lower, ".dockerignore") {
			return Dockerfile
		}
		return None
	}
	stem, isYAML := strings.CutSuffix(lower, ".yaml")
	if !isYAML {
		stem, isYAML = strings.CutSuffix(lower, ".yml")
	}
	if !isYAML {
		if strings.HasSuffix(lower, ".json") {
			return YAML
		}
		return None
	}
	switch {
	case stem == "action" && !strings.Contains(dir, ".github/workflows/"):
		return Action
	case isWorkflowDir(dir):
		return Workflow
	case stem == ".gitlab-ci", strings.HasSuffix(stem, ".gitlab-ci"), strings.Contains("/"+dir, "/.gitlab/ci/"), strings.Contains("/"+dir, "/.gitlab-ci/"):
		return GitLab
	case isComposeStem(stem):
		return Compose
	case strings.Contains(stem, "values"):
		return Values
	}
	return YAML
}

func isWorkflowDir(dir string) bool {
	for _, forge := range []string{".github", ".gitea", ".forgejo"} {
		if strings.HasSuffix("/"+dir, "/"+forge+"/workflows/") {
			return true
		}
	}
	return false
}

func isComposeStem(stem string) bool {
	for _, prefix := range []string{"docker-compose", "compose", "docker-stack"} {
		if rest, ok := strings.CutPrefix(stem, prefix); ok && (rest == "" || strings.ContainsRune(".-_", rune(rest[0]))) {
			return true
		}
	}
	return false
}
