package event

import "strings"

// ghcr is GitHub's registry of containers. A GitHub Enterprise Server has its own,
// containers.HOST, which the package's address tells.
// https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry
const ghcr = "ghcr.io"

// container is for a version of a package: with a tag, it is an image that was pushed.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package
func container(p *payload) []Look {
	m := p.members(p.own[0], "name", "package_type", "owner", "namespace", "package_version")
	if !strings.EqualFold(m[1].text(maxName), "container") {
		return nil
	}
	owner := m[3].text(maxName)
	if m[2].object() {
		owner = p.member(m[2], "login").text(maxName)
	}
	path := strings.ToLower(owner + "/" + m[0].text(255))
	v := p.members(m[4], "package_url", "container_metadata")
	tag := p.member(p.member(v[1], "tag"), "name").text(128)

	// The address is host/owner/name:tag, with the owner's own capitals, and at times no tag.
	host, tagged := ghcr, ""
	if at, rest, _ := strings.Cut(v[0].text(1024), "/"); at == ghcr || strings.HasPrefix(at, "containers.") && made(at, "-.") {
		if named, t, _ := strings.Cut(rest, ":"); strings.EqualFold(named, path) {
			host, tagged = at, t
		}
	}
	if tag == "" {
		tag = tagged
	}
	if tag == "" || len(tag) > 128 || !made(strings.ToLower(tag), "-._") || !made(path, "-._/") || strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return nil
	}
	l := p.repo
	l.Installation, l.Image = p.inst.Installation, host+"/"+path+":"+tag
	return []Look{l}
}

// made reports whether s is made of lower-case letters, digits and the bytes of more, as an
// image's name is. Whoever looks for the image parses it.
func made(s, more string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}
