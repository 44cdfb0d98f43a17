package server

import "golang.org/x/time/rate"

// A pacer lets so much happen in a second, and a burst at once.
type pacer struct{ limiter *rate.Limiter }

func newPacer(perSecond float64, burst int) pacer {
	return pacer{rate.NewLimiter(rate.Limit(perSecond), burst)}
}

func (p pacer) ok() bool { return p.limiter.Allow() }
