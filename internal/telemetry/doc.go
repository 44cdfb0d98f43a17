// Package telemetry counts, logs and traces what the server does.
//
// In goes what happened: the rooms declare small observer interfaces, and a [Telemetry] fits
// them. Out come metrics for Prometheus ([Telemetry.Handler]), log lines ([Logger]) and spans
// for OpenTelemetry ([Trace]).
//
// Each label of a metric has a fixed set of values. What is not in the set counts as "other",
// so that no stranger makes time series: event names come in with deliveries, and registry
// hosts from repositories. All names are in docs/reference/metrics.md.
//
// Logs and spans pass a last net that takes out what looks like a credential. It is no licence
// to log one: secrets have a type that does not print, and what looks like nothing in
// particular is not caught.
//
// The package never has a repository, a person, an installation or free text in a label, never
// fails what it watches, and never decides anything.
package telemetry
