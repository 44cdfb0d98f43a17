package condition

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// A node is a sub-expression that is ready to be evaluated.
type node struct {
	source string // as written, shortened; "" where it is not worth a step
	offset int    // characters from the start
	of     interface {
		eval(r *run) (ref.Val, *lack)
	}
}

// eval returns a value, or what lacks.
func (n *node) eval(r *run) (ref.Val, *lack) {
	if l := r.spend(1); l != nil {
		return nil, l
	}
	v, l := n.of.eval(r)
	if l != nil && l.err != "" && n.source != "" && !strings.HasPrefix(l.err, "in ") {
		l = &lack{l.missing, "in " + n.source + ": " + l.err}
	}
	if n.source != "" && !r.quiet {
		r.note(n, v, l)
	}
	return v, l
}

type literal struct{ v ref.Val }

func (n literal) eval(*run) (ref.Val, *lack) { return n.v, nil }

// A global is one of our variables.
type global int

func (n global) eval(r *run) (ref.Val, *lack) {
	if v := r.memo[n]; v != nil {
		return v, nil
	}
	v, known := variables[n].read(r.facts)
	if !known {
		return nil, missing(variables[n].name)
	}
	r.memo[n] = v
	return v, nil
}

// A local is a variable of a macro.
type local int

func (n local) eval(r *run) (ref.Val, *lack) {
	if v := r.slots[n]; v != nil {
		return v, nil
	}
	return nil, erred("no value") // while the cost of a loop is estimated
}

// A selection is operand.field, or has(operand.field), or operand.?field.
type selection struct {
	operand        *node
	field          string
	test, optional bool
}

func (n selection) eval(r *run) (ref.Val, *lack) {
	of, l := n.operand.eval(r)
	if l != nil {
		return nil, l
	}
	optional := n.optional
	if o, ok := of.(*types.Optional); ok {
		if !o.HasValue() {
			if n.test {
				return types.False, nil
			}
			return types.OptionalNone, nil
		}
		of, optional = o.GetValue(), true
	}
	v, found, l := n.find(r, of)
	switch {
	case l != nil:
		return nil, l
	case n.test:
		return types.Bool(found), nil
	case optional && !found:
		return types.OptionalNone, nil
	case optional:
		return types.OptionalOf(v), nil
	case !found && v == nil:
		return nil, erred("no such key: " + clip(n.field, 60))
	}
	return v, nil
}

// find returns the value of the field. One of an object is found when it is not empty.
func (n selection) find(r *run, of ref.Val) (v ref.Val, found bool, l *lack) {
	switch of := of.(type) {
	case *object:
		i, ok := of.typ.index[n.field]
		if !ok {
			return nil, false, erred("no such field: " + clip(n.field, 60)) // a value of type dyn
		}
		path := of.path + "." + n.field
		v, known := of.typ.fields[i].read(of.of, path)
		if !known {
			return nil, false, missing(path)
		}
		if list, ok := v.(traits.Lister); ok {
			if l := r.spend(2 * size(list)); l != nil {
				return nil, false, l
			}
		}
		z, ok := v.(traits.Zeroer)
		return v, !ok || !z.IsZeroValue(), nil
	case traits.Mapper:
		v, found := of.Find(types.String(n.field))
		if found {
			v, l = settled(v)
		}
		return v, found, l
	}
	return nil, false, erred("a " + of.Type().TypeName() + " has no fields")
}

// An item is operand[key] or operand[?key].
type item struct {
	operand, key *node
	optional     bool
}

func (n item) eval(r *run) (ref.Val, *lack) {
	of, l := n.operand.eval(r)
	key, k := n.key.eval(r)
	if l != nil || k != nil {
		return nil, l.and(k)
	}
	optional := n.optional
	if o, ok := of.(*types.Optional); ok {
		if !o.HasValue() {
			return types.OptionalNone, nil
		}
		of, optional = o.GetValue(), true
	}
	var v ref.Val
	found := false
	switch of := of.(type) {
	case traits.Mapper:
		if v, found = of.Find(key); !found && (v == nil || optional) {
			if optional {
				return types.OptionalNone, nil
			}
			return nil, erred("no such key: " + show(key))
		}
	case traits.Lister:
		i, err := types.IndexOrError(key)
		if err == nil && optional && (i < 0 || uint64(i) >= size(of)) {
			return types.OptionalNone, nil
		}
		if err == nil && (i < 0 || uint64(i) >= size(of)) {
			return nil, erred("no element " + show(key) + ": the list has " + show(of.Size()))
		}
		v = of.Get(key)
	default:
		return nil, erred("a " + of.Type().TypeName() + " has no elements")
	}
	v, l = settled(v)
	if l == nil && optional {
		v = types.OptionalOf(v)
	}
	return v, l
}

// A junction is && or ||. An operand that lacks is never absorbed; the one to its right is
// looked at only for the names of more facts.
type junction struct {
	left, right *node
	decisive    types.Bool // false for &&, true for ||
}

func (n junction) eval(r *run) (ref.Val, *lack) {
	left, l := n.left.eval(r)
	if l != nil {
		_, more := n.right.eval(r)
		return nil, l.and(more.facts())
	}
	b, ok := left.(types.Bool)
	switch {
	case !ok:
		return nil, erred("expected true or false, got " + show(left))
	case b == n.decisive:
		return b, nil
	}
	right, l := n.right.eval(r)
	if l != nil {
		return nil, l
	}
	if _, ok := right.(types.Bool); !ok {
		return nil, erred("expected true or false, got " + show(right))
	}
	return right, nil
}

// A choice is condition ? yes : no.
type choice struct{ condition, yes, no *node }

func (n choice) eval(r *run) (ref.Val, *lack) {
	v, l := n.condition.eval(r)
	switch {
	case l != nil:
		return nil, l
	case v == types.True:
		return n.yes.eval(r)
	case v == types.False:
		return n.no.eval(r)
	}
	return nil, erred("expected true or false, got " + show(v))
}

// A fallback is optional.or(optional) or optional.orValue(value).
type fallback struct {
	optional, other *node
	value           bool
}

func (n fallback) eval(r *run) (ref.Val, *lack) {
	v, l := n.optional.eval(r)
	if l != nil {
		return nil, l
	}
	o, ok := v.(*types.Optional)
	switch {
	case !ok:
		return nil, erred("expected an optional, got " + show(v))
	case !o.HasValue():
		return n.other.eval(r)
	case n.value:
		return o.GetValue(), nil
	}
	return o, nil
}

// A call is of a function or operator.
type call struct {
	name   string
	binary func(a, b ref.Val) ref.Val // of == and !=
	lookup *lookup
	over   *functions.Overload
	meter  meter
	args   []*node
}

func (n *call) eval(r *run) (ref.Val, *lack) {
	var lacks *lack
	below := len(r.stack)
	defer r.drop(below)
	for _, a := range n.args {
		v, l := a.eval(r)
		lacks = lacks.and(l)
		r.stack = append(r.stack, v)
	}
	if lacks != nil {
		return nil, lacks
	}
	args := r.stack[below:]
	cost, err := n.meter(r, args)
	if l := r.spend(cost); l != nil {
		return nil, l
	}
	if err != nil {
		return nil, erred(err.Error())
	}
	if n.lookup != nil {
		return n.lookup.call(r, args)
	}
	if n.binary != nil {
		return settled(n.binary(args[0], args[1]))
	}
	f := n.over
	switch {
	case f.OperandTrait != 0 && len(args) > 0 && !args[0].Type().HasTrait(f.OperandTrait):
	case len(args) == 1 && f.Unary != nil:
		return settled(f.Unary(args[0]))
	case len(args) == 2 && f.Binary != nil:
		return settled(f.Binary(args[0], args[1]))
	case f.Function != nil:
		return settled(f.Function(slices.Clone(args)...))
	}
	return nil, erred("no such overload: " + n.name)
}

// An array is a list as written.
type array struct {
	elements []*node
	optional []bool
}

func (n array) eval(r *run) (ref.Val, *lack) {
	vals := make([]ref.Val, 0, len(n.elements))
	var lacks *lack
	for i, e := range n.elements {
		v, l := e.eval(r)
		lacks = lacks.and(l)
		if n.optional[i] && l == nil {
			o, ok := v.(*types.Optional)
			if !ok {
				return nil, erred("expected an optional, got " + show(v))
			}
			if !o.HasValue() {
				continue
			}
			v = o.GetValue()
		}
		vals = append(vals, v)
	}
	if lacks != nil {
		return nil, lacks
	}
	return types.NewRefValList(types.DefaultTypeAdapter, vals), nil
}

// A record is a map as written.
type record struct {
	keys, values []*node
	optional     []bool
}

func (n record) eval(r *run) (ref.Val, *lack) {
	m := make(map[ref.Val]ref.Val, len(n.keys))
	var lacks *lack
	for i := range n.keys {
		k, l := n.keys[i].eval(r)
		v, w := n.values[i].eval(r)
		lacks = lacks.and(l).and(w)
		if lacks != nil {
			continue
		}
		switch k.(type) {
		case types.String, types.Int, types.Uint, types.Bool:
		default:
			return nil, erred("a " + k.Type().TypeName() + " is no key of a map")
		}
		if n.optional[i] {
			o, ok := v.(*types.Optional)
			if !ok {
				return nil, erred("expected an optional, got " + show(v))
			}
			if !o.HasValue() {
				continue
			}
			v = o.GetValue()
		}
		if _, twice := m[k]; twice {
			return nil, erred("the key " + show(k) + " is written twice")
		}
		m[k] = v
	}
	if lacks != nil {
		return nil, lacks
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m), nil
}

// A loop is what macros become: all, exists, exists_one, map, filter and the like. What an
// element lacks, the loop lacks; the elements after it are looked at only for the names of
// more facts.
type loop struct {
	over            *node
	item, total     local
	initial         *node
	condition, step *node
	result          *node
	predicate       string     // of all and exists, as written: "p, where x is "
	decisive        types.Bool // what ends them
	collect, where  *node      // total + [collect], where `where` holds; nil otherwise
}

func (n *loop) eval(r *run) (ref.Val, *lack) {
	over, l := n.over.eval(r)
	if l != nil {
		return nil, l
	}
	list, l := n.elements(r, over)
	if l != nil {
		return nil, l
	}
	total, l := n.initial.eval(r)
	if l != nil {
		return nil, l
	}
	quiet := r.quiet
	r.quiet = true
	defer func() { r.quiet = quiet }()
	var lacks *lack
	var collected []ref.Val
	for _, e := range list {
		r.slots[n.item], r.slots[n.total] = e, total
		if n.collect != nil {
			keep, l := ref.Val(types.True), (*lack)(nil)
			if n.where != nil {
				keep, l = n.where.eval(r)
			}
			if l == nil && keep == types.True {
				var v ref.Val
				if v, l = n.collect.eval(r); l == nil {
					collected = append(collected, v)
				}
			}
			if lacks = lacks.joined(l); l != nil && r.cost > maxCost {
				return nil, lacks
			}
			continue
		}
		more, l := n.condition.eval(r)
		if l != nil {
			return nil, lacks.joined(l)
		}
		if more != types.True {
			break
		}
		next, l := n.step.eval(r)
		if !quiet {
			r.noteElement(n, e, n.over.offset, next, l)
		}
		if lacks = lacks.joined(l); l == nil {
			total = next
		} else if r.cost > maxCost {
			return nil, lacks
		}
	}
	if lacks != nil {
		return nil, lacks
	}
	if n.collect != nil {
		total = types.NewRefValList(types.DefaultTypeAdapter, collected)
	}
	r.slots[n.total] = total
	return n.result.eval(r)
}

// joined is and, but an error that follows a lack is dropped.
func (l *lack) joined(other *lack) *lack {
	if l == nil {
		return other
	}
	return l.and(other.facts())
}

// elements returns those of a list, or the keys of a map in order.
func (n *loop) elements(r *run, over ref.Val) ([]ref.Val, *lack) {
	count := size(over)
	if l := r.spend(count); l != nil {
		return nil, l
	}
	switch over := over.(type) {
	case traits.Lister:
		list := make([]ref.Val, count)
		for i := range list {
			list[i] = over.Get(types.Int(i))
		}
		return list, nil
	case traits.Mapper:
		var keys []ref.Val
		for it := over.Iterator(); it.HasNext() == types.True; {
			keys = append(keys, it.Next())
		}
		slices.SortFunc(keys, compareKeys)
		return keys, nil
	}
	return nil, erred("a " + over.Type().TypeName() + " has no elements")
}

// compareKeys orders the keys of a map: by type, then by value.
func compareKeys(a, b ref.Val) int {
	if c := strings.Compare(a.Type().TypeName(), b.Type().TypeName()); c != 0 {
		return c
	}
	if x, ok := a.(traits.Comparer); ok {
		if c, ok := x.Compare(b).(types.Int); ok {
			return int(c)
		}
	}
	return cmp.Compare(show(a), show(b)) // unreachable: keys are bools, numbers and texts
}
