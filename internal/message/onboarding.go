package message

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Configure is the kind of a pull request that adds a first configuration. It changes no
// image.
const Configure promotion.Kind = "configure"

// The most bytes that each list takes. Together with what is not cut they stay below Limit.
const (
	placesRoom   = 14 << 10
	appsRoom     = 8 << 10
	opensRoom    = 8 << 10
	unknownRoom  = 6 << 10
	problemsRoom = 6 << 10
)

// An Onboarding is the pull request that asks for leave to work in a repository. Its strings
// may be foreign.
type Onboarding struct {
	Repository   string // owner/name
	Base         string // branch
	File         string // path of the configuration that it adds
	Edit         string // address where that is edited; "" is not shown
	Environments []OnboardingEnvironment
	Apps         []OnboardingApp
	Images       int // in all files, each once
	Unpinned     int // those of them without a digest
	Files        int // that hold images
	Opens        []OnboardingPull
	Outside      []Outside // files of no environment, where any is configured
	Besides      bool      // updates or promotions come by themselves besides
	Observe      bool      // the configuration says mode: observe
	Edited       *Edited   // nil while the branch is as Pinnace wrote it
	Finished     string    // why Pinnace closes it; a part of a sentence, "" while it is open
	Seal         string    // of the configuration as Pinnace wrote it, "" where people did
	Version      string    // of Pinnace
}

// An OnboardingEnvironment is one that the configuration names.
type OnboardingEnvironment struct {
	Name             string
	Paths            []string // globs
	Production       bool
	After            []string
	Images, Unpinned int
}

// An OnboardingApp is an app, where it stands and what it runs.
type OnboardingApp struct {
	Name         string
	Images       []string // repositories
	Environments []string
}

// An OnboardingPull is a pull request that would be opened.
type OnboardingPull struct {
	Branch                string
	Environments          []string
	Images, Places, Files int
	Left                  int // places that would not be edited
}

// Outside is a file that belongs to no environment, with the images in it.
type Outside struct {
	Path   string
	Images int
}

// Edited says that people changed the branch.
type Edited struct {
	Commit   string // sha of its head
	Author   string // name
	Missing  bool   // the configuration is not on it any more
	Problems []string
}

// Title returns the title.
func (o Onboarding) Title() string { return "Configure Pinnace" }

// Body returns the body, of fewer than [Limit] bytes. The last line is for machines.
func (o Onboarding) Body() string {
	sections := []string{o.finished()}
	if o.Finished == "" {
		sections = []string{
			o.intro(), o.edited(), o.found(), o.places(), o.apps(), o.outcome(), o.outside(), o.rules(), o.howTo(),
		}
	}
	sections = slices.DeleteFunc(sections, func(s string) bool { return s == "" })
	text := strings.Join(sections, "\n\n")
	b := block{
		Kind: Configure, Repository: clean(o.Repository, 150), Base: clean(o.Base, 255), Seal: clean(o.Seal, 64), Version: clean(o.Version, 40),
		Finished: o.Finished != "", State: o.state(), Title: hash(o.Title()), Text: hash(strings.TrimSpace(text)),
	}
	return text + "\n\n" + b.String() + "\n"
}

// state tells one text from another.
func (o Onboarding) state() string {
	o.Version = ""
	if !plainAddress(o.Edit) || o.Finished != "" {
		o.Edit = ""
	}
	text, _ := json.Marshal(o)
	return hash(string(text))
}

// IsIn says whether a body is that of o, whoever wrote into it.
func (o Onboarding) IsIn(body string) bool {
	return strings.Contains(marked(body), `"state":"`+o.state()+`"`)
}

// Commit returns the commit message. base is the commit that it is made on.
func (o Onboarding) Commit(base string) string {
	var b strings.Builder
	b.WriteString(o.Title() + "\n\nAdds " + plain(o.File, 100) + ", from what the files of the repository hold.\n\n")
	t := trailers{&b}
	t.one(TrailerKind, string(Configure))
	t.one(TrailerSeal, plain(o.Seal, 64))
	t.one(TrailerBase, plain(base, 64))
	return b.String()
}

func (o Onboarding) finished() string {
	return "Nothing is left to do here: " + ended(Text(o.Finished)) + " Pinnace has closed it."
}

func (o Onboarding) intro() string {
	return "Adds " + Code(o.File) + ", which tells Pinnace what " + Code(o.Repository) + " holds. **Until it is merged, Pinnace does nothing else here**: no pull request, no check, no comment."
}

// edited says whose the branch is now.
func (o Onboarding) edited() string {
	e := o.Edited
	if e == nil {
		return ""
	}
	head := "The head of this branch"
	if sha := shortSHA(e.Commit); sha != "" {
		head += ", " + sha
	}
	if author := code(e.Author, 100); author != "" {
		head += " by " + author
	}
	head += ", is not what Pinnace wrote. It is kept: Pinnace no longer changes this branch"
	switch {
	case e.Missing:
		return "> [!WARNING]\n> " + head + ". " + Code(o.File) + " is not on it any more: merging it configures nothing."
	case len(e.Problems) == 0:
		return "> [!NOTE]\n> " + head + ", and what follows is by the file on it."
	}
	var rows []string
	for _, p := range e.Problems {
		rows = append(rows, "- "+Text(p)+"\n")
	}
	return "> [!WARNING]\n> " + head + ". The file on it cannot be used: merged like this, it stops Pinnace here until it is mended.\n\n" +
		listed(rows, problemsRoom, "mistake")
}

// usable says whether there is a configuration to tell of.
func (o Onboarding) usable() bool {
	return o.Edited == nil || !o.Edited.Missing && len(o.Edited.Problems) == 0
}

func (o Onboarding) found() string {
	if !o.usable() {
		return ""
	}
	what := counted(o.Images, "image") + " in " + counted(o.Files, "file")
	switch {
	case o.Unpinned == 0:
		what += ", all of them pinned to a digest"
	case o.Unpinned == o.Images:
		what += ", none of them pinned to a digest"
	default:
		what += fmt.Sprintf(", %d of them not pinned to a digest", o.Unpinned)
	}
	what = "**Found**: " + what + "."
	if len(o.Environments) == 0 {
		return what + " No environment was told by the names of directories and files: images are pinned in one pull request, and nothing is promoted until the file names environments."
	}
	if o.Edited == nil {
		what += " Environments, their order, and which of them is production are guessed by names: the file marks what is a guess."
	}
	return what
}

// places is the table of environments.
func (o Onboarding) places() string {
	if !o.usable() || len(o.Environments) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| Environment | Files | Promoted from | Images | Not pinned |\n| --- | --- | --- | --- | --- |\n")
	for n, e := range o.Environments {
		name := code(e.Name, 63)
		if e.Production {
			name += " (production)"
		}
		row := "| " + strings.Join([]string{
			name, some(e.Paths, 3, func(s string) string { return code(s, 100) }),
			cmp.Or(some(e.After, 5, func(s string) string { return code(s, 63) }), "–"), fmt.Sprint(e.Images), fmt.Sprint(e.Unpinned),
		}, " | ") + " |\n"
		if b.Len()+len(row) > placesRoom {
			b.WriteString("\n" + further(len(o.Environments)-n, "environment") + "\n")
			break
		}
		b.WriteString(row)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (o Onboarding) apps() string {
	if !o.usable() {
		return ""
	}
	var rows []string
	for _, a := range o.Apps {
		row := "- " + code(a.Name, 128)
		if len(a.Environments) > 0 {
			row += " in " + some(a.Environments, 8, func(s string) string { return code(s, 63) })
		}
		rows = append(rows, row+": "+some(a.Images, 3, Code)+"\n")
	}
	return section("Apps", rows, appsRoom, "app")
}

// outcome lists what would be opened.
func (o Onboarding) outcome() string {
	switch {
	case !o.usable():
		return ""
	case o.Observe:
		return "**Once it is merged**, Pinnace only reports: `mode: observe` opens no pull request and writes no check."
	case len(o.Opens) == 0 && o.Besides:
		return "**Once it is merged**, Pinnace opens pull requests for the updates and promotions that the file asks for, and none besides: what it can pin is pinned."
	case len(o.Opens) == 0:
		return "**Once it is merged**, Pinnace opens no pull request now: what it can pin is pinned."
	}
	var rows []string
	for _, p := range o.Opens {
		row := "- " + Code(p.Branch) + ": pins " + counted(p.Images, "image") + " at " + counted(p.Places, "place") + " in " + counted(p.Files, "file")
		if len(p.Environments) > 1 {
			row += " that " + some(p.Environments, 5, func(s string) string { return code(s, 63) }) + " share"
		}
		if p.Left > 0 {
			row += "; " + counted(p.Left, "place") + " cannot be edited"
		}
		rows = append(rows, row+"\n")
	}
	count, note := counted(len(o.Opens), "pull request"), "No registry was asked for this: an image whose registry gives no answer is left out then."
	if o.Besides {
		note += " Updates and promotions that the file asks for come besides."
	}
	list := listed(rows, opensRoom, "pull request")
	if len(rows) > folded {
		list = fold(fmt.Sprintf("Pull requests (%d)", len(rows)), list)
	}
	return "**Once it is merged**, Pinnace opens " + count + ", for people to merge:\n\n" + list + "\n\n" + note
}

func (o Onboarding) outside() string {
	if !o.usable() {
		return ""
	}
	var rows []string
	for _, f := range o.Outside {
		rows = append(rows, "- "+Code(f.Path)+": "+counted(f.Images, "image")+"\n")
	}
	return section("Files of no environment, which are left alone", rows, unknownRoom, "file")
}

// rules says what holds without any policy.
func (o Onboarding) rules() string {
	if !o.usable() || o.Observe {
		return ""
	}
	return "Besides, the check `pinnace/promotion` is then on every pull request to " + Code(o.Base) + ". Without a policy it asks for no approval, and it binds nobody until a rule of the branch requires it. " +
		"Unless the file says otherwise, whoever may write here may ask for promotions and approve them; later changes of `.pinnace/` need an admin."
}

func (o Onboarding) howTo() string {
	file := Code(o.File)
	if plainAddress(o.Edit) {
		file = "[" + file + "](" + o.Edit + ")"
	}
	how := "**To change it**, edit " + file + " on this branch: commits of people are kept, and this text follows the file. Whoever may merge to " + Code(o.Base) + " merges it; an admin should, since the file says who may do what.\n\n" +
		"**To say no**, close it: Pinnace then does nothing here, and does not ask again, until somebody reopens it or adds " + Code(o.File) + "."
	by := "Pinnace"
	if v := text(o.Version, 40); v != "" {
		by += " " + v
	}
	if o.Seal != "" {
		by += ", seal " + code(o.Seal, 12)
	}
	return how + "\n\n<sub>" + by + "</sub>"
}
