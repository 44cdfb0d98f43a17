package event

import (
	"encoding/json"
	"errors"
	"strconv"
)

// errTwice refuses what two readers could read differently.
var errTwice = errors.New("a key stands there twice: GitHub sends no such payload")

// A value is the text of one valid JSON value, without space around it; nil is an absent one.
type value []byte

// A reader takes values apart. What is absent, or of another type than asked for, is nothing;
// a key that stands twice in an object that is read is an error, which sticks.
type reader struct{ err error }

// members returns the values of an object's keys, in the order of names. Keys are compared
// exactly, as encoding/json's structs do not.
func (r *reader) members(v value, names ...string) []value {
	found := make([]value, len(names))
	if len(v) == 0 || v[0] != '{' {
		return found
	}
	for i := v.space(1); v[i] != '}'; {
		end := v.str(i)
		key := v[i:end]
		start := v.space(v.space(end) + 1)
		i = v.skip(start)
		for n, name := range names {
			if !key.spells(name) {
				continue
			}
			if found[n] != nil {
				r.err = errTwice
				return make([]value, len(names))
			}
			found[n] = v[start:i]
		}
		if i = v.space(i); v[i] == ',' {
			i = v.space(i + 1)
		}
	}
	return found
}

// member returns the value of one key.
func (r *reader) member(v value, name string) value { return r.members(v, name)[0] }

// elements returns at most limit elements of an array, and whether there were more.
func (v value) elements(limit int) (list []value, more bool) {
	if len(v) == 0 || v[0] != '[' {
		return nil, false
	}
	for i := v.space(1); v[i] != ']'; {
		if len(list) == limit {
			return list, true
		}
		end := v.skip(i)
		list = append(list, v[i:end])
		if i = v.space(end); v[i] == ',' {
			i = v.space(i + 1)
		}
	}
	return list, false
}

// id returns a number that can name something: a whole one above 0 that fits; 0 otherwise.
func (v value) id() int64 {
	if len(v) == 0 || v[0] < '1' || v[0] > '9' {
		return 0
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// text returns a string of at most limit bytes, "" for a longer one.
func (v value) text(limit int) string {
	if len(v) == 0 || v[0] != '"' || len(v) > 6*limit+2 {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil || len(s) > limit {
		return ""
	}
	return s
}

func (v value) object() bool { return len(v) > 0 && v[0] == '{' }

// spells reports whether the string v means name.
func (v value) spells(name string) bool {
	if string(v[1:len(v)-1]) == name {
		return true
	}
	for _, b := range v {
		if b == '\\' {
			return v.text(64) == name
		}
	}
	return false
}

// space returns where the space at i ends.
func (v value) space(i int) int {
	for v[i] == ' ' || v[i] == '\n' || v[i] == '\t' || v[i] == '\r' {
		i++
	}
	return i
}

// str returns where the string at i ends.
func (v value) str(i int) int {
	for i++; v[i] != '"'; i++ {
		if v[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skip returns where the value at i ends. It does not recurse.
func (v value) skip(i int) int {
	for depth := 0; ; {
		switch v[i] {
		case '"':
			i = v.str(i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
			continue
		default:
			for i < len(v) && v[i] != ',' && v[i] != '}' && v[i] != ']' && v[i] > ' ' {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}
