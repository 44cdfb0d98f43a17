package config

import "github.com/pinnace-dev/pinnace/internal/document"

// The kinds of document that .pinnace/ may hold.
const (
	KindConfig                = "Config"
	KindPullImageDigestPolicy = "PullImageDigestPolicy"
	KindImagePromotionPolicy  = "ImagePromotionPolicy"
	KindFilterCondition       = "FilterCondition"
	KindFreeze                = "Freeze"

	// KindArtifactPromotionPolicy binds promotion policies in the form of the
	// product that Pinnace follows; its apiVersion is "v1".
	KindArtifactPromotionPolicy = "artifactPromotionPolicy"
)

// kinds maps each kind to its apiVersion.
var kinds = map[string]string{
	KindConfig:                  APIVersion,
	KindPullImageDigestPolicy:   APIVersion,
	KindImagePromotionPolicy:    APIVersion,
	KindFilterCondition:         APIVersion,
	KindFreeze:                  APIVersion,
	KindArtifactPromotionPolicy: "v1",
}

func kindNames() []string {
	return []string{
		KindConfig, KindPullImageDigestPolicy, KindImagePromotionPolicy, KindFilterCondition, KindFreeze,
		KindArtifactPromotionPolicy,
	}
}

// header reads apiVersion and kind of a document, and reports what is wrong with
// them. A missing kind is not guessed.
func (r *reader) header(d *Document) bool {
	root, version, kind := d.marks[""], d.marks["/apiVersion"], d.marks["/kind"]
	values, _ := d.value.(map[string]any)
	v, hasVersion := values["apiVersion"]
	k, hasKind := values["kind"]
	d.APIVersion, _ = v.(string)
	d.Kind, _ = k.(string)
	want, known := kinds[d.Kind]

	ok := true
	switch {
	case !hasKind:
		r.Report(root.Line, root.Column, "kind is missing: expected one of %s", document.List(kindNames(), "or"))
		ok = false
	case d.Kind == "":
		r.Report(kind.Line, kind.Column, "kind must be text: expected one of %s", document.List(kindNames(), "or"))
		ok = false
	case !known:
		r.Report(kind.Line, kind.Column, "unknown kind %s%s", document.Quote(d.Kind), document.Hint(d.Kind, kindNames()))
		ok = false
	}
	if want == "" {
		want = APIVersion
	}
	switch {
	case !hasVersion:
		r.Report(root.Line, root.Column, "apiVersion is missing: write apiVersion: %s", want)
		ok = false
	case d.APIVersion == "":
		r.Report(version.Line, version.Column, "apiVersion must be text: write apiVersion: %s", want)
		ok = false
	case known && d.APIVersion != want:
		r.Report(version.Line, version.Column, "unknown apiVersion %s of kind %s: write apiVersion: %s", document.Quote(d.APIVersion), d.Kind, want)
		ok = false
	case !known && d.APIVersion != APIVersion && d.APIVersion != "v1":
		r.Report(version.Line, version.Column, "unknown apiVersion %s%s", document.Quote(d.APIVersion), document.Hint(d.APIVersion, []string{APIVersion}))
		ok = false
	}
	return ok
}
