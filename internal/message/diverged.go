package message

// Diverged says that the branch of a pull request holds what Pinnace did not write.
type Diverged struct {
	Commit string // sha of its head
	Author string // name or login
	Why    string // what it holds; a part of a sentence, may be empty
}

// note says what happened, that nothing was overwritten, and what can be done, which is
// another thing where approvals are bound to a seal.
func (d Diverged) note(sealed bool) string {
	head := "The head of this branch"
	if sha := shortSHA(d.Commit); sha != "" {
		head += ", " + sha
	}
	if author := code(d.Author, 100); author != "" {
		head += " by " + author
	}
	head += ", is not what Pinnace wrote"
	if why := text(d.Why, 200); why != "" {
		head += " (" + why + ")"
	}
	if sealed {
		return "> [!WARNING]\n" +
			"> " + head + ". That breaks the seal: nothing is merged, nothing was overwritten, and approvals do not count here.\n" +
			"> Comment `/reseal` to put the sealed change back, which keeps the other commits aside, or close this pull request."
	}
	return "> [!WARNING]\n" +
		"> " + head + ". Nothing was overwritten, and Pinnace no longer updates this pull request.\n" +
		"> Merge it as it is, or close it and delete the branch: Pinnace then opens a new one."
}

// shortSHA shows a commit by its first seven digits.
func shortSHA(sha string) string {
	if hex40.MatchString(sha) {
		sha = sha[:7]
	}
	return code(sha, 40)
}
