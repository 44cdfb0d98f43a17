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
	stem, isYAML := strings.CutSuffix(lower, ".yaml")
	if !isYAML {
		stem, isYAML = strings.CutSuffix(lower, ".yml")
	}
	if !isYAML {
		switch {
		case strings.HasSuffix(lower, ".json"):
			return YAML
		case isDockerfileName(lower):
			return Dockerfile
		}
		return None
	}
	switch {
	case stem == "chart":
		return None // metadata: its annotations may list images, and deploy none
	case stem == "action" && !strings.Contains(dir, ".github/workflows/"):
		return Action
	case isWorkflowDir(dir):
		return Workflow
	case stem == ".gitlab-ci", strings.HasSuffix(stem, ".gitlab-ci"), strings.Contains("/"+dir, "/.gitlab/ci/"), strings.Contains("/"+dir, "/.gitlab-ci/"):
		return GitLab
	case isComposeStem(stem):
		return Compose
	case strings.Contains(stem, "values"), strings.Contains("/"+strings.ToLower(dir), "/values/"):
		return Values
	}
	return YAML
}

// isDockerfileName knows Dockerfile.dev, dockerfile-dev, dev.Dockerfile and the like.
func isDockerfileName(lower string) bool {
	for _, name := range []string{"dockerfile", "containerfile"} {
		if strings.HasSuffix(lower, "."+name) {
			return true
		}
		if rest, ok := strings.CutPrefix(lower, name); ok && rest != "" && strings.ContainsRune(".-_", rune(rest[0])) {
			return !strings.HasSuffix(lower, ".dockerignore")
		}
	}
	return false
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
