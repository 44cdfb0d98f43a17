package report

import "testing"

// A long line goes on below where its text began, in a terminal that is wide enough for that.
func TestWrapped(t *testing.T) {
	const text = "1 approval by carol, dave or anybody with admin"
	for _, c := range []struct {
		name      string
		width, at int
		want      string
	}{
		{"no terminal", 0, 4, text},
		{"wide enough", 60, 4, text},
		{"two lines", 40, 4, "1 approval by carol, dave or anybody\n    with admin"},
		{"too narrow to be of use", 20, 4, text},
	} {
		t.Run(c.name, func(t *testing.T) {
			Width = c.width
			defer func() { Width = 0 }()
			if got := wrapped(text, c.at); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
