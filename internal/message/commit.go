package message

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The trailers that a commit of Pinnace has. The people are login#id.
const (
	TrailerKind    = "Pinnace-Kind"
	TrailerEnv     = "Pinnace-Env"
	TrailerApp     = "Pinnace-App"
	TrailerFrom    = "Pinnace-From" // an environment, or [Registry]
	TrailerSkipped = "Pinnace-Skipped"
	TrailerRequest = "Pinnace-Request"
	TrailerImage   = "Pinnace-Image"
	TrailerSeal    = "Pinnace-Seal"
	TrailerBase    = "Pinnace-Base"

	TrailerRequestedBy = "Requested-by"
	TrailerApprovedBy  = "Approved-by"
	TrailerPolicy      = "Policy"
	TrailerDeployedBy  = "Deployed-by"
	TrailerGlass       = "Pinnace-Break-Glass" // why the rules were waived
)

const (
	maxListed       = 20  // images in the text of a commit message
	maxImages       = 100 // trailers of images
	maxEnvironments = 50
	maxNames        = 20
	maxPeople       = 50
	linesRoom       = 16 << 10 // bytes of the lines of images
	imagesRoom      = 40 << 10 // bytes until which trailers of images are written
)

// Commit returns the commit message: a subject of at most 72 characters, the images, and
// trailers. There are as many [TrailerImage], name:tag@digest, as images, but at most
// 100, and fewer where they are long; the text says how many there are. What was skipped is
// named up to 20, who asked up to 50. [TrailerBase] is the commit that it is made on,
// so that one that was moved onto another is told from it.
func (p PullRequest) Commit(base string) string {
	var b strings.Builder
	b.WriteString(cmp.Or(cut(clean(p.Subject, maxSubject), maxSubject), p.headline(maxSubject)) + "\n\n" + lines(p.Images))
	files, places := p.size()
	fmt.Fprintf(&b, "\n%s in %s.\n\n", counted(places, "place"), counted(files, "file"))

	t := trailers{&b}
	t.one(TrailerKind, plain(string(p.Kind), 20))
	t.names(TrailerEnv, p.Environments, maxEnvironments)
	t.one(TrailerApp, plain(p.App, 100))
	if p.asked() {
		t.request(p.Kind, p.Request.From, p.Request.Skipped, p.Request.ID)
	}
	t.images(p.Images)
	t.one(TrailerSeal, plain(p.Seal, 64))
	t.one(TrailerBase, plain(base, 64))
	if p.asked() {
		t.people(TrailerRequestedBy, p.Request.By)
	}
	return b.String()
}

// lines say what happens to the images, one a line.
func lines(images []Image) string {
	var b strings.Builder
	for n, i := range images {
		if n == maxListed || b.Len() > linesRoom {
			fmt.Fprintf(&b, "and %d more\n", len(images)-n)
			break
		}
		b.WriteString(i.line() + "\n")
	}
	return b.String()
}

// trailers writes the last paragraph of a commit message.
type trailers struct{ b *strings.Builder }

// one writes a trailer, unless it would be empty.
func (t trailers) one(key, value string) {
	if value != "" {
		t.b.WriteString(key + ": " + value + "\n")
	}
}

func (t trailers) names(key string, names []string, most int) {
	for _, n := range names[:min(len(names), most)] {
		t.one(key, plain(n, 63))
	}
}

func (t trailers) people(key string, all []promotion.Identity) {
	for _, i := range all[:min(len(all), maxPeople)] {
		t.one(key, signature(i))
	}
}

func (t trailers) request(kind promotion.Kind, from string, skipped []string, id string) {
	if from == "" && kind == promotion.Promotion {
		from = Registry
	}
	t.one(TrailerFrom, plain(from, 63))
	t.names(TrailerSkipped, skipped, maxNames)
	t.one(TrailerRequest, plain(id, 100))
}

func (t trailers) images(images []Image) {
	seen := map[string]bool{}
	for _, i := range images {
		ref := i.ref()
		if seen[ref] {
			continue
		}
		if seen[ref] = true; len(seen) > maxImages || len(seen) > 1 && t.b.Len() > imagesRoom {
			break
		}
		t.one(TrailerImage, ref)
	}
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
