package registry

import (
	"encoding/json"
	"maps"
	"slices"
)

// Bounds of the labels or annotations that are kept of one document.
const (
	maxWords = 256      // number
	maxKey   = 256      // bytes of a key
	maxValue = 4 << 10  // bytes of a value
	allWords = 64 << 10 // bytes of all
)

// words are labels or annotations. What is no string, too long or too much is left out,
// in the order of the keys.
type words map[string]string

// UnmarshalJSON never fails: nobody refuses an image for its labels.
func (w *words) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return nil
	}
	*w = words{}
	room := allWords
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		var value *string
		if len(key) > maxKey || json.Unmarshal(raw[key], &value) != nil || value == nil || len(*value) > maxValue || len(key)+len(*value) > room {
			continue
		}
		if len(*w) == maxWords {
			break
		}
		room -= len(key) + len(*value)
		(*w)[key] = *value
	}
	return nil
}

// fill adds what w does not have yet.
func (w words) fill(from words) {
	for key, value := range from {
		if _, ok := w[key]; !ok {
			w[key] = value
		}
	}
}
