package document

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is a length of time, written as Go does with days and weeks besides:
// "90m", "12h", "2d", "1w12h".
type Duration time.Duration

const (
	day          = 24 * time.Hour
	maxDuration  = 366 * day
	wantDuration = `expected a duration such as "90m", "12h", "2d" or "1w"`
)

var errTooLong = errors.New("the duration is longer than 366 days")

// String spells the duration as Go does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText spells the duration as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// ParseDuration reads a duration of at most 366 days, not negative.
func ParseDuration(s string) (Duration, error) {
	rest := s
	var sum time.Duration
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		number, after, ok := strings.Cut(rest, unit.letter)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%s is not a duration: %s", Quote(s), wantDuration)
		}
		if n > 366 {
			return 0, errTooLong
		}
		sum += time.Duration(n) * unit.length
		rest = after
	}
	if rest != "" || s == "" {
		d, err := time.ParseDuration(rest)
		switch _, number := strconv.Atoi(s); {
		case err != nil && number == nil:
			return 0, fmt.Errorf("%s has no unit: %s", Quote(s), wantDuration)
		case err != nil:
			return 0, fmt.Errorf("%s is not a duration: %s", Quote(s), wantDuration)
		case d < 0:
			return 0, errors.New("the duration is negative: " + wantDuration)
		case d > maxDuration:
			return 0, errTooLong
		}
		sum += d
	}
	if sum > maxDuration {
		return 0, errTooLong
	}
	return Duration(sum), nil
}
