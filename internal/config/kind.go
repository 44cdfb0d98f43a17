package config

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
		r.report(root.line, root.column, "kind is missing: expected one of %s", list(kindNames(), "or"))
		ok = false
	case d.Kind == "":
		r.report(kind.line, kind.column, "kind must be text: expected one of %s", list(kindNames(), "or"))
		ok = false
	case !known:
		r.report(kind.line, kind.column, "unknown kind %s%s", quote(d.Kind), hint(d.Kind, kindNames()))
		ok = false
	}
	if want == "" {
		want = APIVersion
	}
	switch {
	case !hasVersion:
		r.report(root.line, root.column, "apiVersion is missing: write apiVersion: %s", want)
		ok = false
	case d.APIVersion == "":
		r.report(version.line, version.column, "apiVersion must be text: write apiVersion: %s", want)
		ok = false
	case known && d.APIVersion != want:
		r.report(version.line, version.column, "unknown apiVersion %s of kind %s: write apiVersion: %s", quote(d.APIVersion), d.Kind, want)
		ok = false
	case !known && d.APIVersion != APIVersion && d.APIVersion != "v1":
		r.report(version.line, version.column, "unknown apiVersion %s%s", quote(d.APIVersion), hint(d.APIVersion, []string{APIVersion}))
		ok = false
	}
	return ok
}
