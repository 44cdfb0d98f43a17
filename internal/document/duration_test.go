package document

import (
	"fmt"
	"testing"
)

func TestDuration(t *testing.T) {
	for in, want := range map[string]string{
		"1h": "1h0m0s", "90m": "1h30m0s", "2d": "48h0m0s", "1w": "168h0m0s", "1w2d3h": "219h0m0s", "0": "0s", "0s": "0s", "366d": "8784h0m0s",
		"": "", "1": "", "-1h": "", "1d-1h": "", "367d": "", "53w": "", "9999h": "", "d": "", "1h1d": "", "1.5d": "", "99999999999w": "",
	} {
		d, err := ParseDuration(in)
		got := ""
		if err == nil {
			got = fmt.Sprint(d)
		}
		if got != want {
			t.Errorf("ParseDuration(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}
