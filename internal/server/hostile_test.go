package server

import (
	"testing"
)

// behind a load balancer that translates addresses (Kubernetes Service of type LoadBalancer
// or NodePort with externalTrafficPolicy: Cluster, AWS NLB, plain `nginx proxy_pass`), and for a
// web page that rebinds its own name to an inside address, the whole Internet is "inside".
func TestHostileStatusToStrangers(t *testing.T) {
	r := newRig(t, pages)
	for host, from := range map[string]string{
		"pinnace.acme.dev":   "10.0.3.7:51234",  // the node's address, after SNAT
		"evil.example":       "192.168.1.20:51", // a browser of the office, after DNS rebinding
		"pinnace.acme.dev:1": "127.0.0.1:4000",  // nginx on the same machine, without proxy_set_header
	} {
		for _, path := range []string{"/status", "/metrics"} {
			if w := r.ask(get("http://"+host+path), from); w.Code == 200 {
				t.Errorf("%s%s by %s: 200 %s", host, path, from, w.Body)
			}
		}
	}
}
