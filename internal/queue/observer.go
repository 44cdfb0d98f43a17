package queue

import "time"

// An Observer is told what happens, as it happens; it returns at once.
type Observer interface {
	// Accepted tells of a delivery that is kept, or was already; took is until its commit.
	Accepted(fresh bool, took time.Duration)
	// Refused tells of a delivery that could not be kept.
	Refused()
	// Begun tells of a visit that begins, and how long the oldest event that asked for it
	// waited, 0 where none did.
	Begun(waited time.Duration)
	// Ended tells what came of a visit.
	Ended(o Outcome, took time.Duration, writes int)
	// Swept tells of one look for deliveries that GitHub could not make: how many were asked
	// for again, and how many it can make no more though they never came.
	Swept(redelivered, lost int)
}

type nobody struct{}

func (nobody) Accepted(bool, time.Duration)      {}
func (nobody) Refused()                          {}
func (nobody) Begun(time.Duration)               {}
func (nobody) Ended(Outcome, time.Duration, int) {}
func (nobody) Swept(int, int)                    {}
