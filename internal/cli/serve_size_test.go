package cli

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1024": 1024, "20GiB": 20 << 30, "20Gi": 20 << 30, "20 GiB": 20 << 30, "1MiB": 1 << 20, "3Ki": 3 << 10, "2TiB": 2 << 40,
		"": -1, "-1": -1, "GiB": -1, "20GB": -1, "20G": -1, "1.5GiB": -1, "9000000000GiB": -1, "0x10": -1, "20GiBB": -1, "20 eggs": -1,
	} {
		s := byteSize(-1)
		err := s.Set(text)
		if int64(s) != want || (err != nil) != (want < 0) {
			t.Errorf("%q: got %d, %v, want %d", text, s, err, want)
		}
		if err != nil {
			continue
		}
		var again byteSize
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%q is spelt %q, which is %d, %v", text, s.String(), again, err)
		}
	}
}
