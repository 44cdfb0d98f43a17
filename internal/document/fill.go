package document

import "strings"

// Deref follows the reference of a part of a schema, and lays the keys of the part over
// what it finds.
func Deref(root, s map[string]any) map[string]any {
	ref, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	merged := object{}
	for k, v := range Deref(root, within(root, strings.TrimPrefix(ref, "#"))) {
		merged[k] = v
	}
	for k, v := range s {
		if k != "$ref" {
			merged[k] = v
		}
	}
	return merged
}

// fill adds the defaults of schema s to a value, in place where it can.
func fill(root, s object, v any) any {
	s = Deref(root, s)
	switch v := v.(type) {
	case object:
		properties, _ := s["properties"].(object)
		for name, p := range properties {
			p := Deref(root, p.(object))
			if old, ok := v[name]; ok {
				v[name] = fill(root, p, old)
			} else if d, ok := p["default"]; ok {
				v[name] = fill(root, p, clone(d))
			}
		}
	case []any:
		if items, ok := s["items"].(object); ok {
			for i := range v {
				v[i] = fill(root, items, v[i])
			}
		}
	}
	return v
}

func clone(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for k, x := range v {
			c[k] = clone(x)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, x := range v {
			c[i] = clone(x)
		}
		return c
	}
	return v
}
