package promotion

// A Cached is a remembered answer of a forge: its tag, its body, and the address of the page
// after it.
type Cached struct {
	ETag string
	Link string // of the header Link, "" = none
	Body []byte // not to be changed
}
