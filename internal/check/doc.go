// Package check turns what stands in the files into findings with stable codes.
//
// In go the images of each file, the paths that its kustomizations name, and, unless the
// check is offline, what the registries say. Out come findings PIN001 to PIN007, sorted
// by place, each with a message that says what is wrong, with which values, and the
// command that mends it.
//
// PIN001 agrees with Checkov's CKV_K8S_43 wherever that check passes or fails: an image
// passes if it carries a digest. The other codes are stricter.
//
// [Pins] holds the files that a pull request changes to their digests: in go the files with
// what locks their environments and which ways out there are, out come annotations, which
// fail where a policy locks, and suggestions that make the edit of pinnace pin.
//
// The package never reads a file, never asks a registry, and knows nothing of output
// formats.
package check
