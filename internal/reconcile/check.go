package reconcile

import (
	"context"
	"errors"

	"github.com/pinnace-dev/pinnace/internal/check"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/manifest"
	"github.com/pinnace-dev/pinnace/internal/plan"
)

// Checked is what Check found. Unanswered lists the images about which a registry gave
// no answer.
type Checked struct {
	Survey     *Survey
	Findings   []check.Finding
	Unanswered []Unanswered
}

// An Unanswered image could not be compared with its registry.
type Unanswered struct {
	Image image.Ref
	Err   error
}

// Check holds every image to the rules. Without a Resolver it asks nothing.
func (r *Reconciler) Check(ctx context.Context) (*Checked, error) {
	a := newAsker(ctx, r)
	var each func(check.File)
	if r.Resolver != nil {
		each = func(f check.File) {
			var all []inquiry
			for i := range f.Result.Findings {
				if found := &f.Result.Findings[i]; asks(found) {
					all = append(all, checkInquiry(plan.Tagged(found)))
				}
			}
			a.ask(all, nil)
		}
	}
	survey, err := r.Survey(ctx, each)
	a.wait.Wait()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &Checked{Survey: survey}
	if r.Resolver == nil {
		out.Findings = check.Check(survey.Files, nil)
		return out, nil
	}
	out.Findings = check.Check(survey.Files, func(ref image.Ref) (plan.Answer, bool) {
		return a.answer(checkInquiry(ref))
	})
	out.Unanswered = r.unanswered(survey, a)
	return out, nil
}

// asks says whether the registry is asked about a finding: whatever is pinned.
func asks(f *manifest.Finding) bool { return f.Image.Pinned() && !f.Ignored }

// checkInquiry asks for the meaning of the tag, if there is one, and for the digest.
func checkInquiry(r image.Ref) inquiry { return inquiry{r, r.Tag != "", true} }

func (r *Reconciler) unanswered(s *Survey, a *asker) []Unanswered {
	var out []Unanswered
	seen := map[image.Ref]bool{}
	for _, f := range s.Files {
		for i := range f.Result.Findings {
			found := &f.Result.Findings[i]
			ref := plan.Tagged(found)
			if !asks(found) || seen[ref] {
				continue
			}
			seen[ref] = true
			answer, _ := a.answer(checkInquiry(ref))
			for _, err := range []error{answer.TagErr, answer.PinnedErr} {
				if err != nil && !errors.Is(err, image.ErrUnknown) {
					out = append(out, Unanswered{ref, err})
					break
				}
			}
		}
	}
	return out
}
