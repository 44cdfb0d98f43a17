package condition

import (
	"errors"
	"reflect"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A structType is a type with named fields.
type structType struct {
	name   string
	typ    *types.Type
	fields []field
	index  map[string]int
}

// A field of a struct. read gets a pointer to the Go struct and the path of the object, and
// says whether the value is known.
type field struct {
	name, doc, example string
	typ                *types.Type
	read               func(of any, path string) (ref.Val, bool)
}

// newType declares a struct. The name is that of the Go struct.
func newType(name string, fields ...field) *structType {
	t := &structType{name: "pinnace." + name, typ: types.NewObjectType("pinnace." + name), fields: fields, index: map[string]int{}}
	for i, f := range fields {
		t.index[f.name] = i
	}
	return t
}

// names returns the fields in their order.
func (t *structType) names() []string {
	names := make([]string, len(t.fields))
	for i, f := range t.fields {
		names[i] = f.name
	}
	return names
}

// at declares a field of the struct T.
func at[T any](name string, typ *types.Type, doc, example string, read func(*T) (ref.Val, bool)) field {
	return field{name: name, doc: doc, example: example, typ: typ, read: func(of any, _ string) (ref.Val, bool) { return read(of.(*T)) }}
}

// under declares a field of the struct T that holds objects, which are named by their path.
func under[T any](name string, typ *types.Type, doc, example string, read func(of *T, path string) (ref.Val, bool)) field {
	return field{name: name, doc: doc, example: example, typ: typ, read: func(of any, path string) (ref.Val, bool) { return read(of.(*T), path) }}
}

// An object is a value of a struct type.
type object struct {
	of   any
	typ  *structType
	path string
}

// ConvertToNative refuses.
func (o *object) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("an object is no Go value")
}

// ConvertToType converts to the type itself alone.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.typ.typ
	}
	return types.NewErr("an object is no %s", t.TypeName())
}

// Equal says whether both are the same object. Conditions that compare objects do not compile.
func (o *object) Equal(other ref.Val) ref.Val {
	p, ok := other.(*object)
	return types.Bool(ok && p.of == o.of)
}

func (o *object) Type() ref.Type { return o.typ.typ }
func (o *object) Value() any     { return o.of }

// objects returns a list of objects, whose paths are path[0], path[1] and so on.
func objects[T any](list []T, typ *structType, path string) ref.Val {
	vals := make([]ref.Val, len(list))
	for i := range list {
		vals[i] = &object{of: &list[i], typ: typ, path: indexed(path, i)}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, vals)
}

// The functions below turn facts into values of CEL.

func text[T ~string](f Fact[T]) (ref.Val, bool) { return types.String(f.Value), f.Known }
func truth(f Fact[bool]) (ref.Val, bool)        { return types.Bool(f.Value), f.Known }
func number(f Fact[int64]) (ref.Val, bool)      { return types.Int(f.Value), f.Known }

func moment(f Fact[time.Time]) (ref.Val, bool) {
	return types.Timestamp{Time: f.Value.UTC()}, f.Known
}

func span(f Fact[time.Duration]) (ref.Val, bool) { return types.Duration{Duration: f.Value}, f.Known }

func texts(f Fact[[]string]) (ref.Val, bool) { return listOf(f.Value), f.Known }

func listOf(s []string) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, s) }

func table(f Fact[map[string]string]) (ref.Val, bool) {
	return types.NewStringStringMap(types.DefaultTypeAdapter, f.Value), f.Known
}

func logins(people []promotion.Identity) ref.Val {
	list := make([]string, len(people))
	for i, p := range people {
		list[i] = p.Login
	}
	return listOf(list)
}

func ids(people []promotion.Identity) ref.Val {
	list := make([]ref.Val, len(people))
	for i, p := range people {
		list[i] = types.Int(p.ID)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}

// sure says that a value is known.
func sure(v ref.Val) (ref.Val, bool) { return v, true }
