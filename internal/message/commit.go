package message

import (
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// The trailers that a commit of Pinnace has.
const (
	TrailerKind  = "Pinnace-Kind"
	TrailerEnv   = "Pinnace-Env"
	TrailerApp   = "Pinnace-App"
	TrailerImage = "Pinnace-Image"
	TrailerSeal  = "Pinnace-Seal"
	TrailerBase  = "Pinnace-Base"
)

const (
	maxListed       = 20  // images in the text of a commit message
	maxImages       = 100 // trailers of images
	maxEnvironments = 50
)

// Commit returns the commit message: a subject of at most 72 characters, the images, and
// trailers. There are as many [TrailerImage], name:tag@digest, as images, but at most
// 100; the text says how many there are. [TrailerBase] is the commit that it is made on,
// so that one that was moved onto another is told from it.
func (p PullRequest) Commit(base string) string {
	var b strings.Builder
	b.WriteString(p.headline(maxSubject) + "\n\n")
	for n, i := range p.Images {
		if n == maxListed {
			fmt.Fprintf(&b, "and %d more\n", len(p.Images)-n)
			break
		}
		b.WriteString(i.line() + "\n")
	}
	files, places := p.size()
	fmt.Fprintf(&b, "\n%s in %s.\n\n", counted(places, "place"), counted(files, "file"))

	trailer := func(key, value string) {
		if value != "" {
			b.WriteString(key + ": " + value + "\n")
		}
	}
	trailer(TrailerKind, plain(string(p.Kind), 20))
	for _, e := range p.Environments[:min(len(p.Environments), maxEnvironments)] {
		trailer(TrailerEnv, plain(e, 63))
	}
	trailer(TrailerApp, plain(p.App, 100))
	seen := map[string]bool{}
	for _, i := range p.Images {
		ref := i.ref()
		if seen[ref] {
			continue
		}
		if seen[ref] = true; len(seen) > maxImages {
			break
		}
		trailer(TrailerImage, ref)
	}
	trailer(TrailerSeal, plain(p.Seal, 64))
	trailer(TrailerBase, plain(base, 64))
	return b.String()
}

// line says what happens to the image.
func (i Image) line() string {
	old := plain(i.Name, 255)
	if i.OldTag != "" {
		old += ":" + plain(i.OldTag, 128)
	}
	if d := digest(i.OldDigest); d != "" {
		old += " (" + d.Short() + ")"
	}
	var to []string
	if i.Tag != i.OldTag && i.Tag != "" {
		to = append(to, plain(i.Tag, 128))
	}
	if d := digest(i.NewDigest); d != "" {
		to = append(to, d.Short())
	}
	return old + " -> " + strings.Join(to, " ")
}

// ref spells the image as name:tag@digest. An @ mentions nobody where it follows a
// letter or a digit, so what else a tag ends with is left out.
func (i Image) ref() string {
	ref := plain(i.Name, 255)
	if i.Tag != "" {
		ref += ":" + plain(i.Tag, 128)
	}
	if d := digest(i.NewDigest); d != "" {
		ref = strings.TrimRightFunc(ref, func(r rune) bool { return !wordly(r) || r > '~' }) + "@" + string(d)
		ref = strings.TrimPrefix(ref, "@")
	}
	return ref
}

// digest returns s as a digest, or nothing if it is none.
func digest(s string) image.Digest {
	d, err := image.ParseDigest(s)
	if err != nil {
		return ""
	}
	return d
}
