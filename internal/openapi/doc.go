// Package openapi holds an HTTP exchange against GitHub's own description of its REST API.
//
// In goes api.github.com.json of the npm package @octokit/openapi and an exchange: method,
// path, query and body of the request, status and body of the answer. Out comes an error
// that says what breaks the description, or nil. [Load] reads the file and compiles nothing;
// an operation is compiled, with the schemas that it reaches, when it is first asked for,
// so that a test pays for what it uses.
//
// A placeholder that names a ref, a branch or a path stands for several segments, as it does
// on GitHub, although OpenAPI has no such thing. What GitHub itself accepts or says against
// its description is listed, with the reason, in allow.go.
//
// The package never fetches the description, and it is used by tests only.
package openapi
