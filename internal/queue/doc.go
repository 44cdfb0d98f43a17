// Package queue says what is visited next, and by whom.
//
// In go deliveries of webhooks, which are kept durably before Accept returns, and looks; out
// come visits, at most one at a time to each repository among all processes that share a
// database. Nothing that was accepted is lost and nothing is a message to be worked off: an
// event raises its subject's counter, a visit notes the counter when it begins, and a subject
// whose counter stands above the last note that was visited with success is dirty. Ten
// thousand events for one repository are a few visits, and one that comes in during a visit is
// followed by another.
//
// A subject that waits has a turn, a number: those with the lowest go first. Turns are given so
// that each installation has its share (start-time fair queueing: a subject's turn is one above
// the last of its installation's, or above the one being served if that is higher), events come
// before what only time asks for, and neither starves the other. One installation never holds
// all workers of a process, and those whose visits last for long do not even together.
//
// River carries the turns: a job of River's says that somebody's turn has come, not whose. A
// worker that gets one serves subjects until none waits. Jobs and counters are written in one
// transaction, and a sweep puts back what is missing.
//
// A visit holds a lease with a fencing number, judged by the database's clock; who visits asks
// Visit.Fence, which asks no database, before each write. A visit whose process died is begun
// again when its lease ran out; after Attempts such ends the subject is quarantined: it is
// shown, tried again at each resync, and freed by Release.
//
// Events are never the only cause: each subject is visited at least every Resync, the lists of
// installations and repositories are read as often and at each start, deliveries that GitHub
// could not make are asked for again, and a database that was lost comes back by itself.
//
// The package never asks GitHub anything but through Work.
package queue
