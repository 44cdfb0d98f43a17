// Package document holds a YAML document to a JSON schema, and says in our words where
// it fails.
//
// In go the nodes of a parsed document and a [Schema]; out come JSON values with their
// places ([Marks]), Go values with every default filled in, and [Problems], all of them
// and not the first, each with file, line, column, what was expected and what to do. An
// unknown word gets the known one that was probably meant.
//
// [Reader.Read] follows aliases within a budget of nodes, and refuses merge keys, tags,
// duplicate keys and what is not text as a key. [Reader.Decode] validates; what the schema
// refuses is reported and left out, so that the checks of the caller still say what they
// find. The keywords that it has words for are those that the schemas of config and policy
// use.
//
// The package knows no kind of document and no key of one. It never reads a file, never
// parses bytes of YAML, never guesses a value, and never repairs a document.
package document
