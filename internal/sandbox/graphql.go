package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// graphql serves the few mutations and the one query that the REST API lacks. Errors come as 200 with errors,
// as on GitHub; a mutation or field that the sandbox does not have is a violation.
// https://docs.github.com/en/graphql/guides/forming-calls-with-graphql
func (s *Sandbox) graphql(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	var in struct {
		Query     string
		Variables map[string]any
	}
	op, bad := &operation{name: "unknown"}, error(nil)
	if bad = json.Unmarshal(body, &in); bad == nil {
		op, bad = parseOperation(in.Query, in.Variables)
	}
	route := "/graphql " + op.name
	f := s.befall(r.Method, route, r.URL.Path)
	q := Request{Method: r.Method, Route: route, Path: r.URL.Path, Actor: "anonymous"}
	if f.Before == nil {
		q.Status, body = s.mutate(w.Header(), r, op, bad, &q)
	}
	failure := f.Before
	if failure == nil {
		failure = f.After
	}
	if failure != nil {
		q.Status = failure.Status
	}
	s.mu.Lock()
	s.note(q)
	s.mu.Unlock()
	if failure != nil {
		failure.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(q.Status)
	_, _ = w.Write(body)
}

// mutate carries an operation out, and returns the status and the body.
func (s *Sandbox) mutate(h http.Header, r *http.Request, op *operation, bad error, q *Request) (int, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Set("Date", s.now().Format(http.TimeFormat))
	h.Set("X-GitHub-Request-Id", fmt.Sprintf("SAND:%X", s.next()))
	by, no := s.authenticate(r.Header)
	if no == nil && by.who == nil {
		no = unauthorized("This endpoint requires you to be authenticated.")
	}
	if no != nil {
		out, _ := json.Marshal(fields{"message": no.message, "documentation_url": "https://docs.github.com/graphql", "status": itoa(int64(no.status))})
		return no.status, out
	}
	q.Actor = by.name()
	answer := fields{}
	field := strings.TrimPrefix(op.name, "query ")
	does := mutations[op.name]
	if op.name == "query viewer" {
		does = viewer
	}
	if bad == nil && does == nil {
		bad = fmt.Errorf("field %q doesn't exist here", op.name)
	}
	if bad != nil {
		s.violation("GraphQL: %v", bad)
		answer["errors"] = []any{fields{"message": bad.Error()}}
	} else if v, no := does(s, by, op.input); no != nil {
		kind := map[int]string{http.StatusNotFound: "NOT_FOUND", http.StatusForbidden: "FORBIDDEN"}[no.status]
		if kind == "" {
			kind = "UNPROCESSABLE"
		}
		answer["data"] = fields{field: nil}
		answer["errors"] = []any{fields{"type": kind, "path": []string{field}, "locations": []any{}, "message": no.message}}
	} else if picked, err := pick(v, op.fields); err != nil {
		s.violation("GraphQL: %s: %v", op.name, err)
		answer["errors"] = []any{fields{"message": err.Error()}}
	} else {
		answer["data"] = fields{field: picked}
	}
	out, _ := json.Marshal(answer)
	return http.StatusOK, out
}

// mutations take the input and return the payload.
// https://docs.github.com/en/graphql/reference/mutations
var mutations = map[string]func(*Sandbox, *actor, fields) (fields, *refusal){
	"enqueuePullRequest": func(s *Sandbox, by *actor, in fields) (fields, *refusal) {
		p, no := s.pullNode(by, in["pullRequestId"])
		if no != nil {
			return nil, no
		}
		head, _ := in["expectedHeadOid"].(string)
		q, no := p.enqueue(by, head)
		if no != nil {
			return nil, no
		}
		return fields{"mergeQueueEntry": q.node(len(p.r.queue))}, nil
	},
	"dequeuePullRequest": func(s *Sandbox, by *actor, in fields) (fields, *refusal) {
		p, no := s.pullNode(by, in["id"])
		if no != nil {
			return nil, no
		}
		q := p.queued()
		if q == nil {
			return nil, unprocessable("Pull request is not in the queue")
		}
		q.leave(by, "dequeued")
		return fields{"mergeQueueEntry": q.node(0)}, nil
	},
	"convertPullRequestToDraft": func(s *Sandbox, by *actor, in fields) (fields, *refusal) {
		return s.draft(by, in, true)
	},
	"markPullRequestReadyForReview": func(s *Sandbox, by *actor, in fields) (fields, *refusal) {
		return s.draft(by, in, false)
	},
}

// viewer is whose token it is: of an App's installation its bot.
// https://docs.github.com/en/graphql/reference/queries#viewer
func viewer(_ *Sandbox, by *actor, _ fields) (fields, *refusal) {
	return fields{"login": by.who.Login}, nil
}

func (s *Sandbox) draft(by *actor, in fields, draft bool) (fields, *refusal) {
	p, no := s.pullNode(by, in["pullRequestId"])
	if no != nil {
		return nil, no
	}
	p.setDraft(by, draft)
	return fields{"pullRequest": p.node()}, nil
}

func (p *pull) node() fields {
	return fields{"id": nodeID("PR", p.id), "number": p.number, "isDraft": p.draft, "headRefOid": p.head.String(), "state": strings.ToUpper(p.state())}
}

func (q *queued) node(position int) fields {
	return fields{"id": nodeID("MQE", q.id), "position": position, "headCommit": fields{"oid": q.head.String()}, "pullRequest": q.p.node()}
}

// pullNode finds the pull request that a global identifier names, for who may change it.
func (s *Sandbox) pullNode(by *actor, id any) (*pull, *refusal) {
	for _, r := range s.repos {
		for _, t := range r.threads {
			if t.pull == nil || nodeID("PR", t.id) != id || !by.sees(r) {
				continue
			}
			if no := by.may(r, "pull_requests:write", writer); no != nil {
				return nil, no
			}
			return t.pull, nil
		}
	}
	return nil, refuse(http.StatusNotFound, fmt.Sprintf("Could not resolve to a node with the global id of '%v'.", id))
}

// An operation is one mutation, or a query, with one field.
type operation struct {
	name   string // of the mutation; "query NAME" of a query
	input  fields
	fields map[string]any // what is selected: name to map, nil for a leaf
}

// pick selects fields of an object.
func pick(from fields, selection map[string]any) (fields, error) {
	out := fields{}
	for name, below := range selection {
		v, ok := from[name]
		if !ok {
			return nil, fmt.Errorf("field %q doesn't exist", name)
		}
		deeper, _ := below.(map[string]any)
		if object, ok := v.(fields); ok {
			if deeper == nil {
				return nil, fmt.Errorf("field %q must have selections", name)
			}
			var err error
			if v, err = pick(object, deeper); err != nil {
				return nil, err
			}
		}
		out[name] = v
	}
	return out, nil
}

// A reader reads the words of a GraphQL document.
type reader struct {
	words []string
	at    int
}

var errSyntax = errors.New("parse error in the GraphQL document")

// parseOperation reads mutation NAME? (VARIABLES)? { FIELD(input: {KEY: VALUE ...}) { SELECTION } },
// and query { FIELD { SELECTION } }.
func parseOperation(text string, variables map[string]any) (*operation, error) {
	r := &reader{words: words(text)}
	op := &operation{name: "unknown", input: fields{}}
	kind := r.next()
	if kind != "mutation" && kind != "query" {
		return op, errSyntax
	}
	for r.peek() != "{" && r.peek() != "" { // a name, and the types of variables
		r.next()
	}
	r.next()
	op.name = r.next()
	if kind == "query" {
		op.name = "query " + op.name
		return op, r.finish(op)
	}
	if r.next() != "(" || r.next() != "input" || r.next() != ":" {
		return op, errSyntax
	}
	if name, ok := strings.CutPrefix(r.peek(), "$"); ok {
		r.next()
		op.input, _ = variables[name].(fields)
	} else {
		if r.next() != "{" {
			return op, errSyntax
		}
		for r.peek() != "}" && r.peek() != "" {
			key := r.next()
			if r.next() != ":" {
				return op, errSyntax
			}
			v := r.next()
			if name, ok := strings.CutPrefix(v, "$"); ok {
				op.input[key] = variables[name]
				continue
			}
			var literal any
			if err := json.Unmarshal([]byte(v), &literal); err != nil {
				return op, errSyntax
			}
			op.input[key] = literal
		}
		r.next()
	}
	if r.next() != ")" {
		return op, errSyntax
	}
	return op, r.finish(op)
}

// finish reads what is selected, and the end.
func (r *reader) finish(op *operation) (err error) {
	if r.next() != "{" {
		return errSyntax
	}
	if op.fields, err = r.selection(0); err != nil {
		return err
	}
	if r.next() != "}" || r.next() != "" {
		return errSyntax
	}
	return nil
}

// selection reads up to the closing brace.
func (r *reader) selection(depth int) (map[string]any, error) {
	out := map[string]any{}
	for {
		switch name := r.next(); {
		case name == "}" && len(out) > 0:
			return out, nil
		case name == "" || depth > 8 || strings.ContainsAny(name, "{}():$\""):
			return nil, errSyntax
		case r.peek() == "{":
			r.next()
			below, err := r.selection(depth + 1)
			if err != nil {
				return nil, err
			}
			out[name] = below
		default:
			out[name] = nil
		}
	}
}

func (r *reader) peek() string {
	if r.at < len(r.words) {
		return r.words[r.at]
	}
	return ""
}

func (r *reader) next() string {
	w := r.peek()
	r.at++
	return w
}

// words splits a document into names, $variables, "strings" and marks.
func words(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n,", c) >= 0:
			i++
		case strings.IndexByte("{}():!", c) >= 0:
			out = append(out, string(c))
			i++
		case c == '"':
			j := i + 1
			for j < len(text) && text[j] != '"' {
				if text[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j+1, len(text))
			out = append(out, text[i:j])
			i = j
		default:
			j := i + 1
			for j < len(text) && strings.IndexByte(" \t\r\n,{}():!\"", text[j]) < 0 {
				j++
			}
			out = append(out, text[i:j])
			i = j
		}
	}
	return out
}
