package condition

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// maxShown is about how many bytes of a value people see.
const maxShown = 160

// show spells a value, shortened.
func show(v ref.Val) string {
	var b strings.Builder
	writeValue(&b, v, 0)
	return clip(b.String(), maxShown)
}

func writeValue(b *strings.Builder, v ref.Val, depth int) {
	if b.Len() > maxShown {
		return
	}
	switch v := v.(type) {
	case types.String:
		b.WriteString(strconv.Quote(clip(string(v), maxShown/2)))
	case types.Bytes:
		b.WriteString("b" + strconv.Quote(clip(string(v), maxShown/2)))
	case types.Bool:
		b.WriteString(strconv.FormatBool(bool(v)))
	case types.Int:
		b.WriteString(strconv.FormatInt(int64(v), 10))
	case types.Uint:
		b.WriteString(strconv.FormatUint(uint64(v), 10) + "u")
	case types.Double:
		b.WriteString(strconv.FormatFloat(float64(v), 'g', -1, 64))
	case types.Timestamp:
		b.WriteString(v.UTC().Format(time.RFC3339))
	case types.Duration:
		b.WriteString(v.Duration.String())
	case types.Null:
		b.WriteString("null")
	case version:
		b.WriteString(v.v.String())
	case *types.Type:
		b.WriteString(typeName(v))
	case *object:
		b.WriteString(v.path)
	case *types.Optional:
		if !v.HasValue() {
			b.WriteString("none")
			return
		}
		writeValue(b, v.GetValue(), depth)
	case traits.Mapper:
		writeMap(b, v, depth)
	case traits.Lister:
		writeList(b, v, depth)
	default:
		b.WriteString("a " + v.Type().TypeName())
	}
}

// Of what holds values, few are shown, and few of those within.
const (
	maxShownElements = 6
	maxShownDepth    = 3
)

func writeList(b *strings.Builder, v traits.Lister, depth int) {
	n := int(size(v))
	b.WriteByte('[')
	for i := range min(n, maxShownElements) {
		if i > 0 {
			b.WriteString(", ")
		}
		if depth == maxShownDepth {
			b.WriteString("...")
			break
		}
		writeValue(b, v.Get(types.Int(i)), depth+1)
	}
	if n > maxShownElements {
		b.WriteString(", " + strconv.Itoa(n-maxShownElements) + " more")
	}
	b.WriteByte(']')
}

func writeMap(b *strings.Builder, v traits.Mapper, depth int) {
	n := int(size(v))
	if depth == maxShownDepth || n > 1000 {
		b.WriteString("{" + strconv.Itoa(n) + " keys}")
		return
	}
	keys := make([]ref.Val, 0, n)
	for it := v.Iterator(); it.HasNext() == types.True; {
		keys = append(keys, it.Next())
	}
	slices.SortFunc(keys, compareKeys)
	b.WriteByte('{')
	for i, k := range keys[:min(n, maxShownElements)] {
		if i > 0 {
			b.WriteString(", ")
		}
		writeValue(b, k, depth+1)
		b.WriteString(": ")
		if value, ok := v.Find(k); ok {
			writeValue(b, value, depth+1)
		}
	}
	if n > maxShownElements {
		b.WriteString(", " + strconv.Itoa(n-maxShownElements) + " more")
	}
	b.WriteByte('}')
}
