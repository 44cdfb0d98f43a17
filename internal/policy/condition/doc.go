// Package condition compiles and evaluates the conditions of policies: expressions in the
// Common Expression Language (https://github.com/google/cel-spec/blob/master/doc/langdef.md)
// over what is known of an image, of who asks, and of where it goes.
//
// In go an expression and [Facts]; out come [Problems] with a caret under the place, or an
// [Outcome]: true, false or indeterminate, with the value of each sub-expression.
//
// The language is CEL as cel-go parses, checks and defines it. The walk over the checked
// expression is ours, for three reasons.
//
// Logic is strict from left to right. CEL lets "unknown && false" be false and "error || true"
// be true, so that a look-up that failed can vanish. Here an operand that was reached and
// lacks a fact, or errs, makes the whole indeterminate, and all such operands are named. An
// operand that is never reached, since what stands to its left decides, is not looked at:
// write `!isProdEnv || signedBy(...)`, and signatures matter in production alone. The branches
// of a ternary that are not taken, and the elements of a list after the one that decides
// exists() or all(), are never reached either.
//
// Work is paid before it is done. Each step costs, by the sizes of what it gets; texts and
// lists that are made have a largest size. An expression over its limit is indeterminate.
//
// A missing fact has a name: image.signatures, images[1].builder, isMember("carol",
// "acme/release"). The zero [Facts] know nothing, and empty is not unknown.
//
// Never: a clock (now is a fact), a look-up, a random number, a condition that depends on the
// order of a map's keys.
package condition
