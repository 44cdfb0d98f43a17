package image

import (
	"fmt"
	"strings"
)

// Digest names content by its hash: "sha256:" and 64 lowercase hexadecimal
// digits, or "sha512:" and 128
// (https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests).
// The zero value means that there is none.
type Digest string

// digestHex maps each accepted algorithm to the number of digits it has.
var digestHex = map[string]int{"sha256": 64, "sha512": 128}

// ParseDigest returns s as a Digest, or an error that says what is wrong with it.
func ParseDigest(s string) (Digest, error) {
	algorithm, hex, ok := strings.Cut(s, ":")
	if !ok {
		return "", fmt.Errorf("digest %q has no algorithm: want sha256:<64 hexadecimal digits>", clip(s))
	}
	want, known := digestHex[algorithm]
	if !known {
		return "", fmt.Errorf("digest algorithm %q is not sha256 or sha512", clip(algorithm))
	}
	if len(hex) != want {
		return "", fmt.Errorf("digest has %d digits after %s:, want %d", len(hex), algorithm, want)
	}
	for i := range len(hex) {
		if c := hex[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("digest holds %q: want lowercase hexadecimal digits", hex[i:i+1])
		}
	}
	return Digest(s), nil
}

// Hex returns the digits after the algorithm.
func (d Digest) Hex() string {
	_, hex, _ := strings.Cut(string(d), ":")
	return hex
}

// Short returns the algorithm and the first 12 digits, for tables and prose.
func (d Digest) Short() string {
	algorithm, hex, ok := strings.Cut(string(d), ":")
	if !ok || len(hex) <= 12 {
		return string(d)
	}
	return algorithm + ":" + hex[:12]
}
