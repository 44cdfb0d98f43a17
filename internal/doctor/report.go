package doctor

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Report is what all checks found.
type Report struct {
	Repository string   `json:"repository"` // "" where none was named
	App        int64    `json:"app"`        // 0 where none was named
	Results    []Result `json:"checks"`
	Counts     Counts   `json:"counts"`
	// Refused says that GitHub did not take our key or token.
	Refused bool `json:"-"`
}

// A Result is one check and its finding.
type Result struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Status  Status   `json:"status"`
	Seen    string   `json:"seen"`
	Details []string `json:"details"`
	Fix     string   `json:"fix"`
}

// Counts are how many checks have each status.
type Counts struct {
	OK       int `json:"ok"`
	Warnings int `json:"warnings"`
	Problems int `json:"problems"`
	Skipped  int `json:"skipped"`
}

// Examine asks all checks.
func Examine(f *Facts) Report {
	r := Report{App: f.AppID, Refused: f.App.refused() || errors.Is(f.App.err, promotion.ErrNotFound) || f.Repository.refused() || f.Installations.refused()}
	if f.Repository.known {
		r.Repository = f.Repository.value.FullName()
	}
	for _, c := range Checks() {
		found := c.judge(f)
		if found.Details == nil {
			found.Details = []string{}
		}
		switch found.Status {
		case OK:
			r.Counts.OK++
		case Warning:
			r.Counts.Warnings++
		case Problem:
			r.Counts.Problems++
		case Skipped:
			r.Counts.Skipped++
		}
		r.Results = append(r.Results, Result{ID: c.ID, Title: c.Title, Status: found.Status, Seen: found.Seen, Details: found.Details, Fix: found.Fix})
	}
	return r
}

// JSON writes the report as one object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
