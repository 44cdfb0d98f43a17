// Package command reads what people write to Pinnace in comments, and lists every way to
// act on it.
//
// In goes the body of one comment; out come the commands in it ([Parse]) and, for each line
// that is meant as one and is none, what was expected instead. A command is a line of its
// own that begins with a slash and a known verb. What is quoted, code or an HTML comment is
// none, and where that is in doubt it is none either. Slash words of other bots are left
// alone. [Ways] is the table of who may do what, by which door.
//
// The package never knows who wrote a comment, whether it was edited since, or whether an
// app or an environment of that name exists: whoever acts asks that first.
package command
