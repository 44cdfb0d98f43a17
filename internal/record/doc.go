// Package record is the memory of one pull request: which heads it had with which seal,
// and each review as it was when it was first seen. Without it nobody can say what a
// review was of, since GitHub moves a review to a later commit when the base is merged in.
//
// In go what was just seen ([Record.See], [Record.Witness]); out come the seal and since
// when it stands ([Record.Seal]), and the line of text that keeps it all in a check run
// ([Record.Line], [Parse]). Whatever is not certain is not remembered: an unknown commit
// or seal makes a review count for nothing, and means "review again". Where there is too
// much to keep, what is dropped can only have that effect, too.
//
// The package never decides who wrote a line: the caller reads none but those of its own
// App's check runs. It never reads the clock, and never believes a review's commit because
// GitHub says so.
package record
