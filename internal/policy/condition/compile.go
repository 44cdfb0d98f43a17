package condition

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
)

// A Condition is an expression that was checked. It does not change.
type Condition struct {
	source   string
	root     *node
	slots    int
	named    int                // nodes that become steps
	reads    uint64             // variables, a bit for each
	programs map[string]program // regular expressions that are written in it
}

// Source returns the expression.
func (c *Condition) Source() string { return c.source }

// Reads says whether the expression reads a variable, on whatever path.
func (c *Condition) Reads(variable string) bool {
	for i, v := range variables {
		if v.name == variable {
			return c.reads&(1<<i) != 0
		}
	}
	return false
}

// Compile checks an expression. Without errors among the problems there is a condition, which
// may be used in spite of warnings; with one it is nil. The bare literals true and false are
// conditions without a warning.
func Compile(source string) (c *Condition, problems Problems) {
	e, err := shared()
	if err != nil {
		return nil, Problems{{1, 1, Error, err.Error(), ""}} // unreachable: the tests build it
	}
	k := &compiler{env: e, source: source}
	// The parser and the checker of cel-go are given any text.
	defer func() {
		if p := recover(); p != nil {
			k.report(1, 1, Error, "the expression cannot be read")
			c, problems = nil, k.sorted()
		}
	}()
	c = k.compile()
	problems = k.sorted()
	if problems.HasErrors() {
		return nil, problems
	}
	return c, problems
}

// A compiler collects the problems of one expression.
type compiler struct {
	env      *environment
	source   string
	tree     *ast.AST
	planner  *planner
	problems Problems
	programs map[string]program
}

func (k *compiler) report(line, column int, s Severity, format string, args ...any) {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	k.problems = append(k.problems, Problem{Line: line, Column: column, Severity: s, Message: message, Snippet: snippet(k.source, line, column)})
}

// at reports a problem of an expression, at its start.
func (k *compiler) at(e ast.Expr, s Severity, format string, args ...any) {
	k.offset(k.planner.offset(e), s, format, args...)
}

// on reports a problem of a call, at the name of the function.
func (k *compiler) on(e ast.Expr, s Severity, format string, args ...any) {
	k.offset(k.planner.nameOffset(e), s, format, args...)
}

func (k *compiler) offset(offset int, s Severity, format string, args ...any) {
	l := k.tree.SourceInfo().GetLocationByOffset(int32(offset))
	k.report(max(l.Line(), 1), l.Column()+1, s, format, args...)
}

// sorted returns the problems by place, without repetitions, and no flood of them.
func (k *compiler) sorted() Problems {
	const most = 20
	ps := k.problems
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	ps = slices.Compact(ps)
	ps = ps[:min(len(ps), most)]
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}

func (k *compiler) compile() *Condition {
	switch {
	case strings.TrimSpace(k.source) == "":
		k.report(1, 1, Error, "the condition is empty: write an expression, or leave the key out")
		return nil
	case !utf8.ValidString(k.source):
		k.report(1, 1, Error, "the condition is not UTF-8")
		return nil
	case utf8.RuneCountInString(k.source) > maxSource:
		k.report(1, 1, Error, "the condition has %d characters, more than %d: part it into several policies", utf8.RuneCountInString(k.source), maxSource)
		return nil
	}
	parsed, issues := k.env.env.Parse(k.source)
	if issues.Err() != nil {
		k.explain(issues.Errors())
		return nil
	}
	if n := loops(parsed.NativeRep().Expr()); n > maxLoops {
		k.report(1, 1, Error, "the condition has %d loops such as all() and map(), more than %d: part it into several policies", n, maxLoops)
		return nil
	}
	checked, issues := k.env.env.Check(parsed)
	if issues.Err() != nil {
		k.explain(issues.Errors())
		return nil
	}
	k.tree = checked.NativeRep()
	k.planner = &planner{env: k.env, tree: k.tree, source: []rune(k.source), refused: func(e ast.Expr, format string, args ...any) {
		k.on(e, Error, format, args...)
	}}
	if t := checked.OutputType(); t.Kind() != types.BoolKind {
		k.at(k.tree.Expr(), Error, "the condition is of type %s, not true or false: compare it with a value", typeName(t))
		return nil
	}
	k.programs = map[string]program{}
	k.inspect()
	root := k.planner.plan(k.tree.Expr())
	if k.planner.named >= maxNamed {
		root.source = k.planner.shown(k.tree.Expr()) // what the whole comes to is always a step
	}
	c := &Condition{source: k.source, root: root, slots: k.planner.slots, named: k.planner.named, reads: k.planner.reads, programs: k.programs}
	if !k.problems.HasErrors() {
		k.constant(c)
	}
	return c
}

// loops counts what macros became. Each can nest the type of the one before in another, which
// the checker pays for.
func loops(e ast.Expr) int {
	n := 0
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			n++
		}
	}))
	return n
}

// The messages of cel-go that are said better.
var (
	undeclared   = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	undefined    = regexp.MustCompile(`^undefined field '([^']*)'`)
	noOverload   = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	notAMessage  = regexp.MustCompile(`^'([^']*)' is not a (?:message )?type$`)
	noSelection  = regexp.MustCompile(`^type '([^']*)' does not support field selection$`)
	operatorName = strings.NewReplacer("_", "", "@", "", "?:", "? :")
)

// explain reports the errors of the parser and the checker.
func (k *compiler) explain(errs []*cel.Error) {
	for _, e := range errs {
		line, column := e.Location.Line(), e.Location.Column()+1
		message := strings.Join(strings.Fields(e.Message), " ")
		switch {
		case undeclared.MatchString(message):
			name := undeclared.FindStringSubmatch(message)[1]
			if message = macros[name]; message == "" {
				message = "unknown name " + clip(name, 60) + k.hintName(name)
			}
		case undefined.MatchString(message):
			name := undefined.FindStringSubmatch(message)[1]
			message = "unknown field " + clip(name, 60) + k.hintField(line, column, name)
			column++ // after the dot
		case noOverload.MatchString(message):
			m := noOverload.FindStringSubmatch(message)
			message = fmt.Sprintf("%s does not take %s", operatorName.Replace(m[1]), m[2])
		case notAMessage.MatchString(message):
			message = "objects cannot be made in a condition: compare the fields of those that are given"
		case noSelection.MatchString(message):
			message = "a " + noSelection.FindStringSubmatch(message)[1] + " has no fields"
		case strings.HasPrefix(message, "reserved identifier: "):
			k.report(max(line, 1), max(column, 1), Error, "%s is a word of other languages, and no name in conditions", clip(strings.TrimPrefix(message, "reserved identifier: "), 60))
			return
		case plain[message] != "":
			message = plain[message]
		case strings.HasPrefix(message, "Syntax error: "):
			k.report(max(line, 1), max(column, 1), Error, "%s", clip(k.syntax(line, column, strings.TrimPrefix(message, "Syntax error: ")), 300))
			return // what follows one follows from it
		case strings.Contains(message, "recursion limit"), strings.Contains(message, "recursion depth"):
			message = "the condition is nested too deeply: part it into several policies"
		case strings.Contains(message, "expression count exceeds"), strings.Contains(message, "node count exceeds"):
			message = "the condition is too long: part it into several policies"
		}
		message = strings.ReplaceAll(message, "pinnace.", "")
		k.report(max(line, 1), max(column, 1), Error, "%s", clip(message, 300))
	}
	if len(errs) == 0 {
		k.report(1, 1, Error, "the expression cannot be read") // unreachable: issues have errors
	}
}

// hintName ends a message about an unknown variable or function.
func (k *compiler) hintName(name string) string {
	var known []string
	for _, v := range variables {
		known = append(known, v.name)
	}
	for _, f := range functionDocs {
		known = append(known, f.Name)
	}
	if s := suggest(name, known); s != "" {
		return ": did you mean " + s + "?"
	}
	return ": docs/reference/cel.md lists the variables and functions"
}

// hintField ends a message about an unknown field. Which object it is of is told by the words
// before it.
func (k *compiler) hintField(line, column int, name string) string {
	lines := strings.Split(k.source, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := []rune(lines[line-1])
	before := string(text[:max(0, min(column-1, len(text)))])
	if t := typeBefore(before); t != nil {
		return hint(name, t.names())
	}
	var all []string
	for _, t := range structTypes {
		all = append(all, t.names()...)
	}
	if s := suggest(name, all); s != "" {
		return ": did you mean " + s + "?"
	}
	return ""
}

// pathBefore is a chain of names at the end of a text.
var pathBefore = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]+\])?(?:\.[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]+\])?)*$`)

// typeBefore returns the type of the chain of names that a text ends with, or nil.
func typeBefore(text string) *structType {
	parts := strings.Split(pathBefore.FindString(text), ".")
	var t *types.Type
	for i, part := range parts {
		name, _, indexed := strings.Cut(part, "[")
		var next *types.Type
		if i == 0 {
			for _, v := range variables {
				if v.name == name {
					next = v.typ
				}
			}
		} else if s := structOf(t.TypeName()); s != nil {
			if f, ok := s.index[name]; ok {
				next = s.fields[f].typ
			}
		}
		if next != nil && indexed && next.Kind() == types.ListKind {
			next = next.Parameters()[0]
		}
		if next == nil {
			return nil
		}
		t = next
	}
	return structOf(t.TypeName())
}

// typeName spells a type for people.
func typeName(t *types.Type) string { return strings.ReplaceAll(cel.FormatCELType(t), "pinnace.", "") }
