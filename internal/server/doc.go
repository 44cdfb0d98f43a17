// Package server is the door that GitHub and registries knock at, and the pages for whoever
// runs it.
//
// In comes HTTP. Out goes an [event.Delivery] to the [Inbox] for each webhook of GitHub that
// bears the right signature, and an image's reference to Pushed for each notification of a
// registry that bears its secret. Neither is believed: both say where to look.
//
//	POST /webhooks/github                  X-Hub-Signature-256
//	POST /webhooks/registry/distribution   Authorization: Bearer SECRET
//	POST /webhooks/registry/harbor         Authorization: SECRET
//	POST /webhooks/registry/dockerhub      /SECRET at the end of the path, or ?token=SECRET
//	POST /webhooks/registry/generic        X-Hub-Signature-256, {"image": "ghcr.io/acme/shop:1.4"}
//	GET  /healthz /readyz /metrics /status /
//	     /setup/                           where a server is being set up
//
// A delivery is answered with 202 once the inbox has it for good, with 200 where it had it
// before, and with 503 where it cannot keep it: GitHub then lists it as failed, and it is
// asked for again later. Nothing is parsed before the signature over the body's very bytes is
// right, and a request without the form of one costs no body at all.
//
// Whoever knocks is held to be hostile: the size of a body, the bytes of all bodies, the number
// of connections, the time of a header and the pace of a body are bounded ([Server.Serve]).
// Small bodies have room of their own, which large ones cannot take. Where there are too many
// connections, the one that has been of no use for the longest time goes.
//
// Answers are fixed texts: nothing of a request is in one, nor in an error. /metrics, /status
// and the reasons of /readyz are for the inside: whoever has the operator's token or, where
// there is none, whoever comes from a private address without a proxy in between.
//
// The package never writes a body, a header's secret or a URL to the log, never does the work
// that a delivery asks for, and approves nothing.
package server
