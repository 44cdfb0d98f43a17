package openapi

// A part of an exchange.
type part string

const (
	request part = "request"
	answer  part = "answer"
)

// An exception is a part of an operation that is not judged.
type exception struct {
	method, template string
	part             part
	reason           string
}

var allowed = []exception{
	{
		"POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", request,
		"GitHub takes a bare array of names, and go-github sends one; the description lists it under a oneOf that no array passes",
	},
	{
		"PUT", "/repos/{owner}/{repo}/issues/{issue_number}/labels", request,
		"as for POST",
	},
	{
		"GET", "/app/installations", answer,
		"the description demands an account that is a user and an enterprise at once; GET /app/installations/{installation_id} has it right",
	},
}

func excepted(method, template string, p part) bool {
	for _, e := range allowed {
		if e.method == method && e.template == template && e.part == p {
			return true
		}
	}
	return false
}
