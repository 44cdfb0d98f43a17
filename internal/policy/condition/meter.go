package condition

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// A meter says what a call will cost and refuses what would be too large, before it is made.
type meter func(r *run, args []ref.Val) (cost uint64, err error)

// meters has every function that a condition may call. What is not here does not compile.
var meters = func() map[string]meter {
	m := map[string]meter{}
	for meter, names := range map[*meter]string{
		&once: "!_ -_ _-_ _*_ _/_ _%_ @not_strictly_false size type dyn int uint double bool " +
			"getDate getDayOfMonth getDayOfWeek getDayOfYear getFullYear getHours getMilliseconds getMinutes getMonth getSeconds " +
			"math.abs math.bitAnd math.bitNot math.bitOr math.bitShiftLeft math.bitShiftRight math.bitXor math.ceil math.floor " +
			"math.isFinite math.isInf math.isNaN math.round math.sign math.sqrt math.trunc " +
			"major minor patch compareTo isGreaterThan isLessThan hasAttestation signedBy age " +
			"hasValue optional.none optional.of value first last",
		&shallow: "_<_ _<=_ _>_ _>=_ bytes string duration timestamp startsWith endsWith lowerAscii upperAscii trim charAt substring reverse " +
			"matches isMember semver isSemver slice",
		&deep:        "@in _==_ _!=_ optional.ofNonZeroValue",
		&lists:       "math.@max math.@min optional.unwrap unwrapOpt",
		&versions:    "inSemverRange",
		&globs:       "glob",
		&add:         "_+_",
		&searches:    "contains indexOf lastIndexOf",
		&replaces:    "replace",
		&joins:       "join",
		&splits:      "split",
		&ranges:      "lists.range",
		&flattens:    "flatten",
		&pairs:       "distinct sets.contains sets.equivalent sets.intersects",
		&sorts:       "sort @sortByAssociatedKeys",
		&expressions: "regex.extract regex.extractAll regex.replace",
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = *meter
		}
	}
	return m
}()

var (
	once meter = func(_ *run, args []ref.Val) (uint64, error) {
		if len(args) == 2 && args[0].Type() == types.TimestampType && args[1].Type() == types.StringType {
			return 500, nil // a zone is looked up
		}
		return 0, nil
	}
	shallow meter = func(_ *run, args []ref.Val) (uint64, error) { return sizes(args) / 16, nil }
	deep    meter = func(r *run, args []ref.Val) (uint64, error) {
		var n uint64
		for _, a := range args {
			n += r.weigh(a)
		}
		return n, nil
	}
	lists    meter = func(_ *run, args []ref.Val) (uint64, error) { return sizes(args), nil }
	versions meter = func(_ *run, args []ref.Val) (uint64, error) { return 60 + 4*sizes(args), nil }
	globs    meter = func(_ *run, args []ref.Val) (uint64, error) {
		s, p := size(args[0]), size(args[1])
		cost := (s + 1) * (p + 1) / 16
		for range strings.Count(string(str(args[1])), "{") {
			cost *= (s + 1) * uint64(strings.Count(string(str(args[1])), ",")+1)
		}
		return cost, nil
	}
	add meter = func(_ *run, args []ref.Val) (uint64, error) {
		n := size(args[0]) + size(args[1])
		switch args[0].(type) {
		case types.String, types.Bytes:
			return n / 16, longest(n)
		case traits.Lister:
			return n, most(n)
		}
		return 0, nil
	}
	searches meter = func(_ *run, args []ref.Val) (uint64, error) {
		return (size(args[0])*4 + size(args[0])*size(args[1])) / 16, nil
	}
	replaces meter = func(_ *run, args []ref.Val) (uint64, error) {
		s, from, to := string(str(args[0])), string(str(args[1])), size(args[2])
		n := uint64(strings.Count(s, from))
		result := uint64(len(s)) + n*to - n*min(uint64(len(from)), n*to)
		return (uint64(len(s)) + result) / 4, longest(uint64(len(s)) + n*to)
	}
	joins meter = func(_ *run, args []ref.Val) (uint64, error) {
		list, ok := args[0].(traits.Lister)
		if !ok {
			return 0, nil
		}
		var n, separator uint64
		if len(args) > 1 {
			separator = size(args[1])
		}
		for i := range size(list) {
			n += size(list.Get(types.Int(i))) + separator
		}
		return n/16 + size(list), longest(n)
	}
	splits meter = func(_ *run, args []ref.Val) (uint64, error) {
		s, by := string(str(args[0])), string(str(args[1]))
		n := uint64(strings.Count(s, by)) + 1
		return uint64(len(s))/16 + n, most(n)
	}
	ranges meter = func(_ *run, args []ref.Val) (uint64, error) {
		n, _ := args[0].(types.Int)
		return uint64(max(n, 0)), most(uint64(max(n, 0)))
	}
	flattens meter = func(r *run, args []ref.Val) (uint64, error) {
		n := r.weigh(args[0])
		return n, most(n)
	}
	pairs meter = func(r *run, args []ref.Val) (uint64, error) {
		a, b := r.weigh(args[0]), r.weigh(args[len(args)-1])
		return a * b, nil
	}
	sorts meter = func(r *run, args []ref.Val) (uint64, error) {
		var n uint64
		for _, a := range args {
			n += r.weigh(a)
		}
		for left := n; left > 0; left /= 2 {
			n += n / 8
		}
		return n, nil
	}
	expressions meter = func(r *run, args []ref.Val) (uint64, error) {
		s, p := size(args[0]), string(str(args[1]))
		_, program, err := r.program(p)
		if err != nil {
			return 0, err
		}
		cost := uint64(program)*20 + (s+1)*uint64(program)/4
		if len(args) == 2 {
			return cost, most(s)
		}
		return cost, longest((s + 1) * (size(args[2]) + 1))
	}
)

func longest(n uint64) error {
	if n > maxText {
		return fmt.Errorf("would make a text of more than %d bytes", maxText)
	}
	return nil
}

func most(n uint64) error {
	if n > maxList {
		return fmt.Errorf("would make a list of more than %d elements", maxList)
	}
	return nil
}

func str(v ref.Val) types.String {
	s, _ := v.(types.String)
	return s
}

// size is the number of bytes, or of elements; 1 of what has neither.
func size(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v))
	case types.Bytes:
		return uint64(len(v))
	case traits.Sizer:
		n, _ := v.Size().(types.Int)
		return uint64(max(n, 0))
	}
	return 1
}

func sizes(args []ref.Val) uint64 {
	var n uint64
	for _, a := range args {
		n += size(a)
	}
	return n
}

// weigh counts what a walk over the whole value meets, and stops where that is more than is
// left to spend: lists that share their elements can be larger than memory.
func (r *run) weigh(v ref.Val) uint64 {
	left := uint64(0)
	if r.cost < maxCost {
		left = maxCost - r.cost + 1
	}
	return weighUpTo(v, left)
}

func weighUpTo(v ref.Val, left uint64) uint64 {
	n := uint64(1)
	switch v := v.(type) {
	case types.String, types.Bytes:
		n += size(v) / 16
	case *types.Optional:
		if v.HasValue() {
			n += weighUpTo(v.GetValue(), left)
		}
	case traits.Lister:
		for i := range size(v) {
			if n > left {
				break
			}
			n += weighUpTo(v.Get(types.Int(i)), left-n)
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && n <= left; {
			key := it.Next()
			n += weighUpTo(key, left-n)
			if value, ok := v.Find(key); ok && n <= left {
				n += weighUpTo(value, left-n)
			}
		}
	}
	return n
}

// A program is a regular expression that was compiled, and its size.
type program struct {
	re   *regexp.Regexp
	size int
}

// compilePattern compiles a regular expression (https://github.com/google/re2/wiki/Syntax)
// of bounded size.
func compilePattern(p string) (program, error) {
	if len(strings.TrimSuffix(strings.TrimPrefix(p, wholeStart), wholeEnd)) > maxPattern {
		return program{}, fmt.Errorf("the pattern has more than %d bytes: shorten it", maxPattern)
	}
	if !utf8.ValidString(p) {
		return program{}, fmt.Errorf("the pattern is not UTF-8")
	}
	tree, err := syntax.Parse(p, syntax.Perl)
	if err != nil {
		var text string
		if e, ok := err.(*syntax.Error); ok {
			text = fmt.Sprintf("%s in %s", e.Code, quote(e.Expr))
		}
		return program{}, fmt.Errorf("%s is no regular expression: %s", quote(p), text)
	}
	n := instructions(tree)
	if n > maxProgram {
		return program{}, fmt.Errorf("the pattern %s repeats too much: ask for fewer repetitions", quote(p))
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return program{}, fmt.Errorf("%s is no regular expression", quote(p)) // unreachable: it was parsed
	}
	return program{re, n}, nil
}

// instructions bounds how many a pattern compiles to.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1) + 1
	}
	return min(n, maxProgram*maxPattern)
}
