// Package validate holds what deploy/ has to what Kubernetes takes, without a cluster: the
// chart is rendered by Helm's own engine, the kustomizations are built by kustomize's, and each
// object is held to the OpenAPI description of Kubernetes, to its Go types, to the restricted
// level of pod security, and to the objects that it names.
//
// It is a module of its own, since what it needs is larger than Pinnace. deploy/validate.sh runs
// it.
package validate
