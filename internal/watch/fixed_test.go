package watch

import "testing"

func TestFixed(t *testing.T) {
	for tag, want := range map[string]bool{
		"latest": false, "main": false, "1": false, "1.4": false, "v1": false, "v1.4": false, "17": false, "24.04": false, "2026": false,
		"1-alpine": false, "1.4-alpine3.18": false, "3.8.x": false, "stable": false, "": false, "pr-1234": false, "facade": false, "effaced": false,
		"202601": false, "2026.01": false, "nightly": false, "12345": false, "main-12": false, "1.4-rc1": false,
		"1.2.3-SNAPSHOT": false, "1.2.3-dev": false, "1.2.3-nightly": false, "latest-1.2.3": false, "decade1": true,

		"1.2.3": true, "v1.2.3": true, "1.2.3.4": true, "1.2.3-alpine": true, "1.2.3-rc.1": true, "release-1.2.3": true, "1.2.3_r1": true, "7.0.11b2": true,
		"20260131": true, "2026-01-31": true, "20260131.2": true, "202601311530": true, "nightly-20260131": true, "main-20260131": true,
		"RELEASE.2026-01-31T00-00-00Z": true, "123456": true, "build-12": true, "1.4-build.7": true, "run12": true,
		"1a2b3c4": true, "sha-1a2b3c4": true, "main-1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d": true, "1.4-g1a2b3c4": true, "v1.4-12-g1a2b3c4": true,
	} {
		if got := Fixed(tag); got != want {
			t.Errorf("Fixed(%q) = %v, want %v", tag, got, want)
		}
	}
}
