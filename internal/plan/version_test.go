package plan

import "testing"

func TestIsLower(t *testing.T) {
	for _, test := range []struct {
		tag, than string
		want      bool
	}{
		{"1.5.0", "2.0.0", true},
		{"2.0.0", "1.5.0", false},
		{"1.9", "1.10", true},
		{"v1.0.0-rc.1", "v1.0.0", true},
		{"1.5.0", "1.5.0", false},
		{"latest", "1.5.0", false},
		{"1.5.0", "main-12", false},
		{"", "1.5.0", false},
		{"1.5.0", "", false},
	} {
		if got := IsLower(test.tag, test.than); got != test.want {
			t.Errorf("%q is lower than %q: %t, want %t", test.tag, test.than, got, test.want)
		}
	}
}
