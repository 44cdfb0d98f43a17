package condition

import (
	"math"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// A planner turns a checked expression into nodes.
type planner struct {
	env     *environment
	source  []rune
	tree    *ast.AST
	scope   []binding
	slots   int
	named   int    // nodes that have a source
	reads   uint64 // variables, a bit for each
	loops   int    // around this place
	refused func(e ast.Expr, format string, args ...any)
}

// A binding is a variable of a macro.
type binding struct {
	name string
	slot local
}

func (p *planner) plan(e ast.Expr) *node {
	n := &node{offset: p.offset(e)}
	switch e.Kind() {
	case ast.LiteralKind:
		n.of = literal{e.AsLiteral()}
	case ast.IdentKind:
		p.ident(n, e, e.AsIdent())
	case ast.SelectKind:
		p.selection(n, e)
	case ast.CallKind:
		p.call(n, e)
	case ast.ListKind:
		l := e.AsList()
		a := array{optional: make([]bool, l.Size())}
		for i, x := range l.Elements() {
			a.elements = append(a.elements, p.plan(x))
			a.optional[i] = l.IsOptional(int32(i))
		}
		n.of = a
	case ast.MapKind:
		var m record
		for _, entry := range e.AsMap().Entries() {
			x := entry.AsMapEntry()
			m.keys = append(m.keys, p.plan(x.Key()))
			m.values = append(m.values, p.plan(x.Value()))
			m.optional = append(m.optional, x.IsOptional())
		}
		n.of = m
	case ast.ComprehensionKind:
		p.loop(n, e)
	default:
		p.refused(e, "objects cannot be made in a condition: compare the fields of those that are given")
		n.of = literal{types.False}
	}
	return n
}

// name makes the node worth a step.
func (p *planner) name(n *node, e ast.Expr) {
	if p.loops > 0 || p.named >= maxNamed {
		return
	}
	p.named++
	n.source = p.shown(e)
}

// shown is the source of a step.
func (p *planner) shown(e ast.Expr) string { return clip(p.spell(e), maxStepSource) }

// spell writes an expression on one line.
func (p *planner) spell(e ast.Expr) string {
	s, err := cel.ExprToString(e, p.tree.SourceInfo())
	if err != nil {
		return "" // unreachable: it was parsed
	}
	return strings.Join(strings.Fields(s), " ")
}

func (p *planner) ident(n *node, e ast.Expr, name string) {
	if r := p.tree.ReferenceMap()[e.ID()]; r != nil {
		if r.Value != nil {
			n.of = literal{r.Value}
			return
		}
		if r.Name != "" {
			name = r.Name
		}
	}
	if !strings.HasPrefix(name, ".") {
		for _, b := range slices.Backward(p.scope) {
			if b.name == name {
				n.of = b.slot
				return
			}
		}
	}
	name = strings.TrimPrefix(name, ".")
	for i, v := range variables {
		if v.name == name {
			n.of = global(i)
			p.reads |= 1 << i
			if v.typ.Kind() != types.StructKind {
				p.name(n, e)
			}
			return
		}
	}
	if v, ok := p.env.env.CELTypeProvider().FindIdent(name); ok {
		n.of = literal{v}
		return
	}
	p.refused(e, "%s is no value", quote(name))
	n.of = literal{types.False}
}

func (p *planner) selection(n *node, e ast.Expr) {
	if p.tree.ReferenceMap()[e.ID()] != nil {
		p.ident(n, e, "")
		return
	}
	s := e.AsSelect()
	n.of = selection{operand: p.plan(s.Operand()), field: s.FieldName(), test: s.IsTestOnly()}
	if p.tree.GetType(e.ID()).Kind() != types.StructKind {
		p.name(n, e)
	}
}

func (p *planner) call(n *node, e ast.Expr) {
	c := e.AsCall()
	var args []*node
	all := c.Args()
	if c.IsMemberFunction() {
		all = append([]ast.Expr{c.Target()}, all...)
	}
	for _, a := range all {
		args = append(args, p.plan(a))
	}
	p.name(n, e)
	switch name := c.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		j := junction{args[0], args[1], name == operators.LogicalOr}
		for _, a := range args {
			if of, ok := a.of.(junction); ok && of.decisive == j.decisive {
				a.source = "" // a && b && c is one step
			}
		}
		n.of = j
	case operators.Conditional:
		n.of = choice{args[0], args[1], args[2]}
	case operators.Index, operators.OptIndex:
		n.of = item{args[0], args[1], name == operators.OptIndex}
	case operators.OptSelect:
		field, _ := all[1].AsLiteral().(types.String)
		n.of = selection{operand: args[0], field: string(field), optional: true}
	case "or", "orValue":
		n.of = fallback{args[0], args[1], name == "orValue"}
	default:
		f := p.function(e, name, args)
		n.of = f
		if v := f.constant(); v != nil {
			n.of, n.source = literal{v}, "" // duration("24h") needs no step
		}
	}
}

// constant returns the value of a literal that is spelled as a call, or nil.
func (n *call) constant() ref.Val {
	switch n.name {
	case "semver", "duration", "timestamp":
	default:
		return nil
	}
	for _, a := range n.args {
		if _, ok := a.of.(literal); !ok {
			return nil
		}
	}
	v, _ := n.eval(&run{})
	return v
}

func (p *planner) function(e ast.Expr, name string, args []*node) *call {
	n := &call{name: name, args: args, lookup: lookups[name], meter: meters[name]}
	switch name {
	case operators.Equals:
		n.binary = types.Equal
	case operators.NotEquals:
		n.binary = func(a, b ref.Val) ref.Val { return types.Bool(types.Equal(a, b) != types.True) }
	}
	if n.meter == nil {
		p.refused(e, "%s() cannot be used in a condition", name)
		n.meter = once
	}
	if ids := p.tree.GetOverloadIDs(e.ID()); len(ids) == 1 {
		n.over = p.env.overloads[ids[0]]
	}
	if n.over == nil {
		n.over = p.env.overloads[name]
	}
	if n.over == nil && n.lookup == nil && n.binary == nil {
		p.refused(e, "%s() cannot be used in a condition", name)
	}
	return n
}

func (p *planner) loop(n *node, e ast.Expr) {
	c := e.AsComprehension()
	l := &loop{over: p.plan(c.IterRange()), item: local(p.slots), total: local(p.slots + 1)}
	p.slots += 2
	outer := p.scope
	defer func() { p.scope = outer }()
	l.initial = p.plan(c.AccuInit())
	if p.loops++; p.loops == maxNested+1 {
		p.refused(e, "more than %d loops such as all() and map() stand in each other: part the condition into several policies", maxNested)
	}
	p.scope = append(slices.Clone(outer), binding{c.IterVar(), l.item}, binding{c.AccuVar(), l.total})
	if where, collect := collected(c); collect != nil {
		l.collect = p.plan(collect)
		if where != nil {
			l.where = p.plan(where)
		}
	} else {
		l.condition, l.step = p.plan(c.LoopCondition()), p.plan(c.LoopStep())
		if j, ok := l.step.of.(junction); ok && p.loops == 1 {
			l.predicate = clip(p.spell(c.LoopStep().AsCall().Args()[1]), maxStepSource) + ", where " + c.IterVar() + " is "
			l.decisive = j.decisive
		}
	}
	p.scope = append(slices.Clone(outer), binding{c.AccuVar(), l.total})
	l.result = p.plan(c.Result())
	p.loops--
	n.of = l
	p.name(n, e)
}

// collected finds the step of map and filter: total + [element], if where holds.
func collected(c ast.ComprehensionExpr) (where, element ast.Expr) {
	if c.AccuInit().Kind() != ast.ListKind || c.AccuInit().AsList().Size() != 0 {
		return nil, nil
	}
	isTotal := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == c.AccuVar() }
	step := c.LoopStep()
	if step.Kind() == ast.CallKind && step.AsCall().FunctionName() == operators.Conditional && isTotal(step.AsCall().Args()[2]) {
		where, step = step.AsCall().Args()[0], step.AsCall().Args()[1]
	}
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != operators.Add || !isTotal(step.AsCall().Args()[0]) {
		return nil, nil
	}
	list := step.AsCall().Args()[1]
	if list.Kind() != ast.ListKind || list.AsList().Size() != 1 || len(list.AsList().OptionalIndices()) > 0 {
		return nil, nil
	}
	return where, list.AsList().Elements()[0]
}

// offset is where an expression begins, in characters: at the leftmost of its parts.
func (p *planner) offset(e ast.Expr) int {
	first := p.nameOffset(e)
	for {
		if m, ok := p.tree.SourceInfo().GetMacroCall(e.ID()); ok {
			e = m
		}
		switch {
		case e.Kind() == ast.SelectKind:
			e = e.AsSelect().Operand()
		case e.Kind() == ast.CallKind && e.AsCall().IsMemberFunction():
			e = e.AsCall().Target()
		case e.Kind() == ast.CallKind && len(e.AsCall().Args()) > 0:
			e = e.AsCall().Args()[0]
		case e.Kind() == ast.ComprehensionKind:
			e = e.AsComprehension().IterRange()
		default:
			if first == math.MaxInt32 {
				return 0
			}
			return first
		}
		first = min(first, p.nameOffset(e))
	}
}

// nameOffset is where the name of a function begins, or the place that cel-go gives: of a
// call that is its parenthesis, of a field its dot.
func (p *planner) nameOffset(e ast.Expr) int {
	o, ok := p.tree.SourceInfo().GetOffsetRange(e.ID())
	if !ok {
		return math.MaxInt32
	}
	at := int(o.Start)
	if e.Kind() != ast.CallKind || at >= len(p.source) || p.source[at] != '(' {
		return at
	}
	name := []rune(e.AsCall().FunctionName())
	if start := at - len(name); start >= 0 && slices.Equal(p.source[start:at], name) {
		return start
	}
	return at
}
