package sandbox

import (
	"io"
	"log"
	"net/http"
)

var quiet = log.New(io.Discard, "", 0)

// A refusal is an answer of GitHub that is an error.
// https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
type refusal struct {
	status  int
	message string
	errors  []any // of a 422
	header  http.Header
}

func (r *refusal) Error() string { return r.message }

func refuse(status int, message string) *refusal { return &refusal{status: status, message: message} }

func notFound() *refusal { return refuse(http.StatusNotFound, "Not Found") }

func forbidden() *refusal {
	return refuse(http.StatusForbidden, "Resource not accessible by integration")
}

// invalid is a 422 with what is wrong: strings, or objects of resource, field and code.
func invalid(errors ...any) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: errors}
}

func unprocessable(message string, errors ...any) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, message: message, errors: errors}
}

func fault(resource, field, code string) fields {
	return fields{"resource": resource, "field": field, "code": code}
}

func custom(resource, message string) fields {
	return fields{"resource": resource, "code": "custom", "message": message}
}
