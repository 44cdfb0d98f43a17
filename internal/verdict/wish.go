package verdict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/plan"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// A Wish is what somebody asks for, before it is known what that means.
type Wish struct {
	ID     string
	Kind   promotion.Kind // Promotion or Rollback
	App    string
	Env    string
	From   string // of a promotion: the environment, "" for the one before
	Image  string // of a promotion: straight from the registry
	Digest string // of a rollback: "" for what stood there before
	Reason string
	Base   string // the branch, "" for the default one
	Flags  bool   // it is asked for on the command line, in whose words it is refused

	By      []promotion.Identity
	Unknown bool // somebody asked, and nobody knows who
}

// request says what a wish means now: which digests it asks for. Refusals say why it means
// nothing.
func (b *base) request(ctx context.Context, w Wish) (promotion.Request, []string, error) {
	r := promotion.Request{ID: w.ID, Kind: w.Kind, App: w.App, Env: w.Env, From: w.From, By: w.By, Unknown: w.Unknown, Reason: w.Reason, At: b.Now()}
	var refused string
	if r.From, refused = b.whence(w); refused != "" {
		return r, []string{refused}, nil
	}
	if w.Kind == promotion.Rollback {
		return b.backward(ctx, r, w)
	}
	if w.Image != "" {
		return b.direct(ctx, r, w)
	}
	images, problems := plan.Candidate(b.promoting(r), r.From)
	r.Images, r.Skipped = images, plan.Skipped(b.config, r.From, w.Env)
	return r, reasons(problems), nil
}

// whence says where the images of a wish come from, and why it means nothing: what it names is
// not there.
func (b *base) whence(w Wish) (from, refused string) {
	e, ok := b.config.Environment(w.Env)
	if !ok {
		return w.From, b.unconfigured(w.Env)
	}
	if apps := b.appsOf(w.Env); !slices.Contains(apps, w.App) {
		if near := document.Suggest(w.App, apps); near != "" {
			return w.From, fmt.Sprintf("app %s does not stand in %s: did you mean %s?", w.App, w.Env, near)
		}
		return w.From, fmt.Sprintf("app %s does not stand in %s; there %s", w.App, w.Env, b.named("is", "are", apps))
	}
	if w.Kind == promotion.Rollback || w.Image != "" {
		return w.From, ""
	}
	if w.From == "" {
		sources, _ := e.Sources()
		if len(sources) == 0 {
			return "", fmt.Sprintf("nothing comes before %s: name the environment that it comes from (%s) or the image (%s)", w.Env, w.flag("from", "ENV"), w.flag("image", "REF"))
		}
		return sources[0], ""
	}
	if _, ok := b.config.Environment(w.From); !ok {
		return w.From, b.unconfigured(w.From)
	}
	if w.From == w.Env {
		return w.From, fmt.Sprintf("images cannot come from %s to %s; there %s", w.From, w.Env, b.named("is", "are", except(b.environmentNames(), w.Env)))
	}
	return w.From, ""
}

// flag spells a part of a command as it is written where the wish was.
func (w Wish) flag(name, value string) string {
	if w.Flags {
		name = "--" + name
	}
	return name + " " + value
}

// unconfigured says that there is no such environment.
func (b *base) unconfigured(name string) string {
	all := b.environmentNames()
	if near := document.Suggest(name, all); near != "" {
		return fmt.Sprintf("environment %s is not configured: did you mean %s?", name, near)
	}
	hint := ""
	if len(all) == 0 {
		hint = ": pinnace config init writes .pinnace/config.yaml"
	}
	return fmt.Sprintf("environment %s is not configured; there %s%s", name, b.named("is", "are", all), hint)
}

func (b *base) promoting(r promotion.Request) plan.Promoting {
	return plan.Promoting{
		Config: b.config, Base: b.branch, Default: b.isDefault, Files: b.reading.Files(), Environments: b.reading.Environments, Owner: b.reading.Owner, Request: r, Stage: b.reading.Stage(),
	}
}

func reasons(all []plan.Left) []string {
	var out []string
	for _, l := range all {
		text := l.Reason
		if l.Path != "" {
			text = fmt.Sprintf("%s:%d: %s", l.Path, l.Line, l.Reason)
		}
		out = append(out, text)
	}
	return out
}

// direct asks a registry what an image means.
func (b *base) direct(ctx context.Context, r promotion.Request, w Wish) (promotion.Request, []string, error) {
	ref, err := image.Parse(w.Image)
	if err != nil {
		return r, []string{fmt.Sprintf("image %s: %v", w.Image, err)}, nil
	}
	var own []string
	for _, s := range b.running {
		if s.Environment == w.Env && s.App == w.App && !slices.Contains(own, s.Image.Repository()) {
			own = append(own, s.Image.Repository())
		}
	}
	if !slices.Contains(own, ref.Repository()) {
		return r, []string{fmt.Sprintf("%s is no image of %s in %s; its %s", ref.Repository(), w.App, w.Env, b.named("image is", "images are", own))}, nil
	}
	if !ref.Pinned() {
		found, err := b.images.Resolve(ctx, ref)
		if errors.Is(err, image.ErrUnknown) {
			return r, []string{fmt.Sprintf("the registry has no %s", ref)}, nil
		}
		if err != nil {
			return r, nil, fmt.Errorf("resolve %s: %w", ref, err)
		}
		ref.Tag, ref.Digest = ref.TagOrLatest(), found.Digest
	} else if ref.Tag != "" {
		tagged := ref
		tagged.Digest = ""
		found, err := b.images.Resolve(ctx, tagged)
		if err != nil && !errors.Is(err, image.ErrUnknown) {
			return r, nil, fmt.Errorf("resolve %s: %w", tagged, err)
		}
		if found.Digest != ref.Digest {
			return r, []string{fmt.Sprintf("tag %s of %s does not mean %s now: name the digest without the tag, or the tag that means it", ref.Tag, ref.Name, ref.Digest.Short())}, nil
		}
	}
	r.From, r.Skipped = "", plan.Skipped(b.config, "", w.Env)
	r.Images = []promotion.Wanted{{Repository: ref.Repository(), Tag: ref.Tag, Digest: ref.Digest}}
	return r, nil, nil
}

// backward looks for what stood in an environment before.
func (b *base) backward(ctx context.Context, r promotion.Request, w Wish) (promotion.Request, []string, error) {
	r.From, r.Skipped = "", nil
	now := map[string]image.Digest{}
	for _, s := range b.running {
		if s.Environment == w.Env && s.App == w.App {
			now[s.Image.Repository()] = s.Image.Digest
		}
	}
	wanted := map[string]promotion.Wanted{}
	find := func(all []reconcile.Arrival) bool {
		for _, a := range all {
			for _, ref := range []image.Ref{a.Standing.Image, a.Old} {
				repository := ""
				if ref.Name != "" {
					repository = ref.Repository()
				}
				if _, runs := now[repository]; !runs || !ref.Pinned() || wanted[repository].Digest != "" {
					continue
				}
				if w.Digest != "" && string(ref.Digest) == w.Digest || w.Digest == "" && ref.Digest != now[repository] {
					wanted[repository] = promotion.Wanted{Repository: repository, Tag: ref.Tag, Digest: ref.Digest}
				}
			}
		}
		return len(wanted) == len(now) || w.Digest != "" && len(wanted) > 0
	}
	if _, err := b.arrivals(ctx, w.Env, w.App, find); err != nil {
		return r, nil, err
	}
	if len(wanted) == 0 {
		if w.Digest != "" {
			return r, []string{fmt.Sprintf("%s never stood in %s for %s: promote it with %s", w.Digest, w.Env, w.App, w.flag("image", "REF"))}, nil
		}
		return r, []string{fmt.Sprintf("nothing else with a digest ever stood in %s for %s: promote an image with %s", w.Env, w.App, w.flag("image", "REF"))}, nil
	}
	var repositories []string
	for name := range wanted {
		repositories = append(repositories, name)
	}
	slices.Sort(repositories)
	for _, name := range repositories {
		r.Images = append(r.Images, wanted[name])
	}
	return r, nil, nil
}

func (b *base) environmentNames() []string {
	var out []string
	for _, e := range b.config.Environments {
		out = append(out, e.Name)
	}
	return out
}

// appsOf lists the apps that stand in an environment.
func (b *base) appsOf(env string) []string {
	var out []string
	for _, s := range b.running {
		if s.Environment == env && s.App != "" && !slices.Contains(out, s.App) {
			out = append(out, s.App)
		}
	}
	slices.Sort(out)
	return out
}

func (b *base) named(one, many string, all []string) string {
	switch len(all) {
	case 0:
		return one + " none"
	case 1:
		return one + " " + all[0]
	}
	return many + " " + strings.Join(all, ", ")
}

func except(all []string, but string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == but })
}
