package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A byteSize is a number of bytes, as a flag: 20GiB, or 20Gi as Kubernetes spells it.
type byteSize int64

// byteUnits are the units, the largest first.
var byteUnits = []struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// String spells the size with the largest unit that it is a multiple of.
func (s *byteSize) String() string {
	for _, u := range byteUnits {
		if n := int64(*s); n != 0 && n%u.bytes == 0 {
			return fmt.Sprint(n/u.bytes, u.name)
		}
	}
	return fmt.Sprint(int64(*s))
}

// Set reads a size.
func (s *byteSize) Set(text string) error {
	number, unit := text, int64(1)
	for _, u := range byteUnits {
		if n, ok := strings.CutSuffix(strings.TrimSuffix(text, "B"), strings.TrimSuffix(u.name, "B")); ok {
			number, unit = n, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("want a number of bytes, or one of KiB, MiB, GiB or TiB as in 20GiB; 0 is no bound")
	}
	*s = byteSize(n * unit)
	return nil
}

// Type names the value in errors of the flags.
func (s *byteSize) Type() string { return "size" }
