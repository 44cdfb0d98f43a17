package condition

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/functions"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
)

// Limits of an expression.
const (
	maxSource  = 10_000    // characters
	maxNodes   = 4_000     // after macros are expanded
	maxDepth   = 50        // of nesting, as written
	maxLoops   = 16        // all(), map() and the like, in all
	maxNested  = 4         // one within the other
	maxCost    = 1_000_000 // of one evaluation; a unit is about 100 ns
	maxText    = 1 << 16   // bytes of a text that is made
	maxList    = 10_000    // elements of a list that is made
	maxPattern = 1 << 10   // bytes of a regular expression
	maxProgram = 10_000    // instructions of a regular expression
)

// An environment is what every condition is compiled in.
type environment struct {
	env       *cel.Env
	overloads map[string]*functions.Overload // by the name of a function or an overload
}

// shared builds the environment once.
var shared = sync.OnceValues(func() (*environment, error) {
	options := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxSource),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(maxNodes),
		cel.EnableMacroCallTracking(),
		cel.EnableHiddenAccumulatorName(true),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Lists(),
		ext.Sets(),
		ext.Math(),
		ext.Regex(),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
		),
	}
	for _, v := range variables {
		options = append(options, cel.VariableWithDoc(v.name, v.typ, v.doc))
	}
	options = append(options, declarations()...)
	options = append(options, func(e *cel.Env) (*cel.Env, error) {
		return cel.CustomTypeProvider(&provider{e.CELTypeProvider()})(e)
	})
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("build the environment of conditions: %w", err)
	}
	e := &environment{env: env, overloads: map[string]*functions.Overload{}}
	for name, f := range env.Functions() {
		bindings, err := f.Bindings()
		if err != nil {
			return nil, fmt.Errorf("bind function %s: %w", name, err)
		}
		for _, b := range bindings {
			e.overloads[b.Operator] = b
		}
	}
	return e, nil
})

// A provider knows our types besides those of CEL.
type provider struct{ types.Provider }

func structOf(name string) *structType {
	for _, t := range structTypes {
		if t.name == name {
			return t
		}
	}
	return nil
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if t := structOf(name); t != nil {
		return types.NewTypeTypeWithParam(t.typ), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if t := structOf(name); t != nil {
		return t.names(), true
	}
	return p.Provider.FindStructFieldNames(name)
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	t := structOf(name)
	if t == nil {
		return p.Provider.FindStructFieldType(name, field)
	}
	i, ok := t.index[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{Type: t.fields[i].typ}, true
}
