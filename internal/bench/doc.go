// Command bench measures what Pinnace costs: `go run ./internal/bench`, or make bench.
//
// It generates a repository from a seed, a third of whose files hold images in every
// dialect that Pinnace reads, the rest services, config maps and custom resource
// definitions that only speak of images. It starts a registry on loopback, builds
// pinnace, and runs it as a child under `ulimit -n 1024`: without latency, with 50 ms
// for each answer, with bearer tokens, a second time over what is pinned, and check.
//
// Beside it stand two references that are measured in the same run: the floor, which
// reads every byte of the tree, and a bare prototype (prototype.go), which decodes,
// asks and splices and proves nothing. Ratios to both carry over from machine to
// machine better than seconds.
//
// What pinnace wrote is judged without its code (verify.go): old and new bytes are
// compared, and each difference must be one inserted digest, of the right image, in one
// of the forms in which a digest is written. The program exits with status 1 where that
// fails or where there is a request too many. Times and memory are printed as missed,
// and fail the run with -strict, for they depend on what else the machine does.
//
// Fetching, planning and pushing are measured on a bare repository of as many files, all
// pinned, with a history of one file a commit. git fast-import makes it (origin.go), git
// http-backend serves it, and each phase (phase.go) is a child that works on it: Pinnace
// with GitHub and registries in process (forge.go), go-git, and git itself. The children
// count requests, bytes, and the blobs and trees that were read; claims.go holds them to
// the targets. docs/benchmarks.md has the numbers.
//
// Wall time, processor time and peak memory are those that the kernel accounts to the
// child. A child inherits the peak of the process that forked it, so a small process
// (measure.go) stands between this one and the child. Phases read the peak of each step from
// /proc, and have none elsewhere than on Linux.
package main
