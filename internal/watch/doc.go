// Package watch asks registries whether the images that config repositories name are still
// what they were.
//
// In goes what stands where, by [Watcher.Standing] after each visit of a repository, and what
// a registry says was pushed, by [Watcher.Pushed]; out come looks at the repositories where a
// tag means something else now, alerts, and one issue for each repository that has something
// to look at. Three things are asked for: what a tag means and whether a pinned digest is still
// there, each by HEAD, and which tags a repository has, where a rule follows them. That a tag
// moved is believed once the bytes say so.
//
// Each thing is one row of the [Ledger], of one installation, whatever number of repositories
// name it, with a time when it is due. Tenants share no row: what was seen for one installation
// is told to no other. Within one round a registry is asked once for what several installations
// name, where [Options.Open] gives clients that remember. A tick takes what is most overdue at
// each host, one installation after the other, and no more than the host's budget allows. A
// host that limits us, or fails three times in a row, rests; hosts do not wait for each other.
// Nothing is held in memory but the hosts and the hints that wait to be written.
//
// A move is written only after its looks were raised, so that a crash between the two raises
// them again; what is to be reported of it is written with it. A tag that was never seen before
// has not moved: with the ledger lost, everything is seen for the first time, and nothing is an
// alert. It is one where the tag looks like one that stays ([Fixed]) and files still pin what it
// meant before.
//
// Of several replicas, the one that [Options.Lead] says leads asks registries. The others only
// write down what stands and what was pushed.
//
// The package never believes a push: it is a reason to ask now, and no more often than the
// budget allows. It never decides what becomes of a move, and writes nothing on GitHub but its
// own issue, at most once a day.
package watch
