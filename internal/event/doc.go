// Package event knows what a webhook is good for: it says where to look.
//
// In goes a delivery's event name and body; out come Looks, each a repository or a whole
// installation, with the pull request or the image that it is about. What a payload claims of
// states, people or permissions is not read: whoever looks asks GitHub. [Parse] reads ids and
// names only, and leaves out what is no id or name; keys count by their exact spelling, and a
// payload that has one of them twice is refused.
//
// It also holds the nouns that a server's rooms share: the Subject that work is about, the
// Visit that a worker makes, and what came of it.
package event
