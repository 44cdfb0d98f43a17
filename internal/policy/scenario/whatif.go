package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A WhatIf changes the facts of a case. What is zero stays.
type WhatIf struct {
	App, Env, From  string
	Kind            promotion.Kind
	Image, Previous string
	Reason          string
	Since           *time.Duration
	Requester       *People
	Builder         *People
	Approve, Veto   []string  // in addition, an hour before it is judged
	At              time.Time // judged then; the facts of a case that states no time move with it
	PRLabels        []string
	Labels          map[string]string
	Tags            []string
	Unknown         []string
}

// Apply returns the case with other facts. The error names a fact that cannot be unknown.
func (c Case) Apply(w WhatIf) (Case, error) {
	put := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	put(&c.App, w.App)
	put(&c.Env, w.Env)
	put(&c.From, w.From)
	put(&c.Reason, w.Reason)
	if w.Kind != "" {
		c.Kind = w.Kind
	}
	if w.Since != nil {
		c.Since = w.Since
	}
	if w.Requester != nil {
		c.Requester = w.Requester
	}
	c.Images = slices.Clone(c.Images)
	if len(c.Images) == 0 {
		c.Images = []Image{{}}
	}
	put(&c.Images[0].Text, w.Image)
	put(&c.Images[0].Previous, w.Previous)
	for i := range c.Images {
		m := &c.Images[i]
		if w.Builder != nil {
			m.Builder = w.Builder
		}
		if len(w.Labels) > 0 {
			m.Labels = maps.Clone(m.Labels)
			if m.Labels == nil {
				m.Labels = map[string]string{}
			}
			maps.Copy(m.Labels, w.Labels)
		}
		if len(w.Tags) > 0 {
			m.MoreTags = slices.Concat(m.MoreTags, w.Tags)
		}
	}
	if !w.At.IsZero() {
		c.At = w.At
	}
	judged := c.At
	if judged.IsZero() {
		judged = c.Now
	}
	add := func(to []Review, logins []string) []Review {
		to = slices.Clone(to)
		for _, login := range logins {
			r := Review{By: login}
			if !judged.IsZero() {
				r.At = &Time{At: judged.Add(defaultReview)}
			}
			to = append(to, r)
		}
		return to
	}
	c.Approvals, c.Vetoes = add(c.Approvals, w.Approve), add(c.Vetoes, w.Veto)
	c.PRLabels = slices.Concat(c.PRLabels, w.PRLabels)
	for _, name := range w.Unknown {
		if forget[name] == nil {
			return c, fmt.Errorf("unknown fact %q%s", name, hint(name, unknownNames()))
		}
	}
	c.Unknown = slices.Concat(c.Unknown, w.Unknown)
	return c, nil
}

// Subject says in one line what an input is about.
func Subject(in policy.Input) string {
	var b strings.Builder
	b.WriteString(string(in.Kind))
	var what []string
	for _, c := range in.Changes {
		text := bare(c.New)
		if c.Removal() {
			text = "no " + bare(c.Old)
		}
		if !slices.Contains(what, text) {
			what = append(what, text)
		}
	}
	b.WriteString(" of " + list(what, "and") + " to " + in.Env)
	if in.Kind == promotion.Promotion {
		from := "the registry"
		if in.Request.From != "" {
			from = in.Request.From
		}
		b.WriteString(" from " + from)
	}
	switch n := len(in.Request.By); {
	case in.Request.Unknown:
		b.WriteString(", and nobody knows who asked")
	case n == 0:
		b.WriteString(", asked by nobody")
	default:
		var who []string
		for _, i := range in.Request.By {
			who = append(who, i.Login)
		}
		b.WriteString(", asked by " + list(who, "and"))
	}
	return b.String()
}

// bare spells a reference without its digest.
func bare(r image.Ref) string {
	r.Digest = ""
	return r.String()
}

// CheckImage says what is wrong with an image that a case could state; "" and none are right.
func CheckImage(text string) error {
	if text == "" || text == none {
		return nil
	}
	_, err := image.Parse(text)
	return err
}
