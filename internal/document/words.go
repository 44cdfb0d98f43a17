package document

import (
	"fmt"
	"maps"
	"math/big"
	"path"
	"slices"
	"strings"
)

// alternatives returns the keys that the branches require.
func alternatives(list any) []string {
	branches, _ := list.([]any)
	var names []string
	for _, b := range branches {
		if o, ok := b.(object); ok {
			required, _ := o["required"].([]any)
			for _, name := range required {
				names = append(names, fmt.Sprint(name))
			}
		}
	}
	return names
}

// meaning returns ": " and the first sentence of a key's description, for an error
// at a URL of the schema: an object, or a condition of one.
func (s *Schema) meaning(url, name string) string {
	properties, ok := s.at(url)["properties"].(object)
	if !ok {
		properties, _ = s.at(path.Dir(url))["properties"].(object)
	}
	p, _ := properties[name].(object)
	text, _ := p["description"].(string)
	if text == "" {
		return ""
	}
	sentence, _, _ := strings.Cut(strings.TrimSuffix(text, "."), ". ")
	if len(sentence) > 1 && sentence[1] >= 'a' {
		sentence = strings.ToLower(sentence[:1]) + sentence[1:]
	}
	return ": " + sentence
}

func typeNoun(s object, want []string) string {
	words := make([]string, len(want))
	for i, w := range want {
		switch w {
		case "string":
			words[i] = "text"
		case "boolean":
			words[i] = "true or false"
		case "integer":
			words[i] = "a whole number"
		case "array":
			words[i] = "a list"
		case "object":
			words[i] = "keys and values"
			if names := keys(s); len(names) > 0 && len(names) <= 8 {
				words[i] += " (" + strings.Join(names, ", ") + ")"
			}
		default:
			words[i] = w // unreachable: the schema has no other type
		}
	}
	return List(words, "or")
}

// keys returns the names of an object's properties, in order.
func keys(s object) []string {
	known, _ := s["properties"].(object)
	return slices.Sorted(maps.Keys(known))
}

func number(r *big.Rat) string { return r.RatString() }
