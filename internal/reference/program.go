package reference

// A Program is what the pages are printed from, besides what the rooms of the rules know.
type Program struct {
	Version  string // for the man pages
	Date     string // of the version, as 2006-01-02; "" where it is not known
	Root     Command
	Env      []Variable
	Exits    []Exit
	Outcomes []Outcome
	Metrics  []Metric
	LogKeys  []Key
	Checks   []Check
}

// A Command is one verb of the command line, or the program itself.
type Command struct {
	Path     string // pinnace config init
	Usage    string // pinnace config init [PATH] [flags]
	Short    string // one line
	Long     string // plain text; lines that are indented stay as they are
	Examples []string
	Flags    []Flag // in order of their names
	Children []Command
}

// A Flag is one flag of a verb.
type Flag struct {
	Name    string // without hyphens
	Letter  string // "" where there is none
	Value   string // such as FILE; "" where it takes none
	Default string // "" where it is the zero value, or said in the text
	Text    string
}

// A Variable is one of the environment.
type Variable struct{ Name, Text string }

// An Exit is an exit status, and what it means where a verb gives it a meaning of its own.
type Exit struct {
	Status int
	Means  string
	Verbs  []Meaning
	Only   bool // no other verb ends with it
}

// A Meaning is that of an exit status of one verb, such as "check".
type Meaning struct{ Verb, Means string }

// An Outcome is what came of a server's look at a repository.
type Outcome struct{ Name, Of, Next string }

// A Metric is one of /metrics.
type Metric struct {
	Name, Type, Help string
	Labels           []Label // in order of their names
}

// A Label is one of a metric; no values: they have no fixed set.
type Label struct {
	Name   string
	Values []string
}

// A Key is one of log lines.
type Key struct{ Name, Text string }

// A Check is one of the doctor.
type Check struct{ ID, Title, About string }
