package condition

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// budget is the cost that compiling may spend on the parts of a condition that read no facts.
const budget = 100_000

// constant reports a condition whose outcome no fact can change, or that costs too much
// whatever they are. The literals true and false are meant.
func (k *compiler) constant(c *Condition) {
	if _, ok := c.root.of.(literal); ok {
		return
	}
	r := &run{}
	r.start(c, About(&Facts{}))
	r.quiet, r.cost = true, maxCost-budget
	if cost := r.estimate(c.root); cost > maxCost {
		k.at(k.tree.Expr(), Error, "the condition may cost more than %d: compare fewer values", maxCost)
		return
	}
	r.cost = maxCost - budget
	v, l := r.fold(c.root)
	switch {
	case l != nil && r.cost <= maxCost:
		k.at(k.tree.Expr(), Error, "the condition always errs: %s", clip(l.err, maxErr))
	case v != nil:
		k.at(k.tree.Expr(), Warning, "the condition is always %s: no fact can change it", show(v))
	}
}

// estimate returns what a node costs where facts are small and no loop ends early; no more than
// maxCost+1.
func (r *run) estimate(nodes ...*node) uint64 {
	var total uint64
	for _, n := range nodes {
		if n == nil {
			continue
		}
		cost := 1 + r.estimate(children(n)...)
		if l, ok := n.of.(*loop); ok {
			cost = min(cost+r.length(l.over)*r.estimate(l.condition, l.step, l.where, l.collect), maxCost+1)
		}
		total = min(total+cost, maxCost+1)
	}
	return total
}

// length is the size of a list that can be told without facts, or 1.
func (r *run) length(n *node) uint64 {
	switch of := n.of.(type) {
	case array:
		return uint64(len(of.elements))
	case *loop:
		if of.collect != nil && of.where == nil {
			return r.length(of.over)
		}
	}
	if !factless(n) {
		return 1
	}
	if v, l := n.eval(r); l == nil {
		return size(v)
	}
	return 1
}

// fold returns the value that a node has whatever the facts are, or nil. A lack says that it
// has none whatever they are.
func (r *run) fold(n *node) (ref.Val, *lack) {
	if j, ok := n.of.(junction); ok {
		left, l := r.fold(j.left)
		right, _ := r.fold(j.right)
		switch {
		case l != nil || left == j.decisive:
			return left, l
		case right == j.decisive || left != nil && right != nil:
			return right, nil
		}
		return nil, nil
	}
	if c, ok := n.of.(*call); ok && c.name == "!_" {
		v, l := r.fold(c.args[0])
		if b, ok := v.(types.Bool); ok {
			return !b, l
		}
		return nil, l
	}
	if !factless(n) {
		return nil, nil
	}
	return n.eval(r)
}

// factless says whether a node reads no facts.
func factless(n *node) bool {
	switch of := n.of.(type) {
	case global:
		return false
	case *call:
		if of.lookup != nil && of.name != "matches" {
			return false
		}
	}
	for _, c := range children(n) {
		if c != nil && !factless(c) {
			return false
		}
	}
	return true
}

// children returns the nodes in a node; some may be nil.
func children(n *node) []*node {
	switch of := n.of.(type) {
	case selection:
		return []*node{of.operand}
	case item:
		return []*node{of.operand, of.key}
	case junction:
		return []*node{of.left, of.right}
	case choice:
		return []*node{of.condition, of.yes, of.no}
	case fallback:
		return []*node{of.optional, of.other}
	case *call:
		return of.args
	case array:
		return of.elements
	case record:
		return append(of.keys[:len(of.keys):len(of.keys)], of.values...)
	case *loop:
		return []*node{of.over, of.initial, of.condition, of.step, of.where, of.collect, of.result}
	}
	return nil
}
