package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// Flags are those of `pinnace policy create`.
type Flags struct {
	Name, Description            string
	PassCondition, FailCondition string
	ApproverCount                int
	AllowRequestFromApprove      bool
	AllowImageBuilderFromApprove bool
	AllowApproverFromDeploy      bool
	Apply                        []byte // the file that --applyPath names; nil without one
}

// Home returns the file of .pinnace/ that a document belongs into, by its kind and its name,
// or by the names of the policies that it binds.
func Home(d Document) (string, Problems) {
	r := &reader{document.Reader{File: d.File}}
	p, ok := r.parse(d)
	if !ok {
		return "", r.Problems.Tidy()
	}
	values, _ := p.value.(object)
	name, _ := values["name"].(string)
	switch p.Kind {
	case KindFreeze:
		return ".pinnace/freeze.yaml", nil
	case KindArtifactPromotionPolicy:
		var b binding
		if !r.validate(p, &b) || r.Problems.HasErrors() {
			return "", r.Problems.Tidy()
		}
		name = "apply-" + strings.Join(slices.Sorted(slices.Values(b.Spec.Payload.ApplyToPolicyNames)), "-")
	case KindPullImageDigestPolicy:
		if name == "" {
			name = "pull-image-digest"
		}
	}
	if p.Kind == KindArtifactPromotionPolicy {
		name = name[:min(len(name), maxName)]
	}
	if err := checkPolicyName(name); err != nil {
		at := p.marks["/name"]
		r.Report(max(at.Line, p.line), max(at.Column, 1), "name: %s", err)
		return "", r.Problems.Tidy()
	}
	return ".pinnace/policies/" + name + ".yaml", nil
}

// Create writes a promotion policy from flags, and behind it the documents that bind it. The
// text is that of the file Home names. It is nil where a problem is an error; problems of
// conditions have the places of that text, those of Apply their own.
func Create(f Flags, world World) ([]byte, Problems) {
	for _, text := range []string{f.Name, f.Description, f.PassCondition, f.FailCondition} {
		if !utf8.ValidString(text) {
			return nil, Problems{{Message: "a flag holds text that is not UTF-8: write it anew"}}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", SchemaID(KindImagePromotionPolicy))
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nname: %s\n", APIVersion, KindImagePromotionPolicy, scalar(f.Name))
	text := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, scalar(value))
		}
	}
	text("description", f.Description)
	text("passCondition", f.PassCondition)
	text("failCondition", f.FailCondition)
	fmt.Fprintf(&b, "approverCount: %d\n", f.ApproverCount)
	fmt.Fprintf(&b, "allowRequestFromApprove: %t\n", f.AllowRequestFromApprove)
	fmt.Fprintf(&b, "allowImageBuilderFromApprove: %t\n", f.AllowImageBuilderFromApprove)
	fmt.Fprintf(&b, "allowApproverFromDeploy: %t\n", f.AllowApproverFromDeploy)

	file := "the new policy"
	if checkPolicyName(f.Name) == nil {
		file = ".pinnace/policies/" + f.Name + ".yaml"
	}
	docs := []Document{{File: file, Line: 1, Kind: KindImagePromotionPolicy, Data: slices.Clone(b.Bytes())}}
	if len(bytes.TrimSpace(f.Apply)) > 0 {
		const applied = "--applyPath"
		d := Document{File: applied, Line: 1, Kind: KindArtifactPromotionPolicy, Data: f.Apply}
		r := &reader{document.Reader{File: applied}}
		p, ok := r.parse(d)
		var bound binding
		if !ok || !r.validate(p, &bound) || r.Problems.HasErrors() {
			return nil, r.Problems.Tidy()
		}
		if !slices.Contains(bound.Spec.Payload.ApplyToPolicyNames, f.Name) {
			m := p.marks["/spec/payload/applyToPolicyNames"]
			r.Report(m.Line, m.Column, "the file binds %s, and not %s: add the name, or bind it with `pinnace policy apply -p FILE`", list(bound.Spec.Payload.ApplyToPolicyNames, "and"), document.Quote(f.Name))
			return nil, r.Problems.Tidy()
		}
		world.Policies = slices.Concat(world.Policies, bound.Spec.Payload.ApplyToPolicyNames)
		docs = append(docs, d)
		if !bytes.HasPrefix(f.Apply, []byte("---")) {
			b.WriteString("---\n")
		}
		b.Write(f.Apply)
		if !bytes.HasSuffix(f.Apply, []byte("\n")) {
			b.WriteByte('\n')
		}
	}
	_, problems := Load(docs, world)
	if problems.HasErrors() {
		return nil, problems
	}
	return b.Bytes(), problems
}

// scalar spells text as a YAML value: as a block where it has several lines.
func scalar(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	block := len(lines) > 1 && !strings.HasSuffix(s, "\n\n")
	for i, l := range lines {
		if strings.ContainsFunc(l, func(c rune) bool { return !strconv.IsPrint(c) }) || strings.TrimRight(l, " ") != l || i == 0 && (l == "" || l[0] == ' ') {
			block = false
		}
	}
	if !block {
		return strconv.Quote(s)
	}
	mark := "|-"
	if strings.HasSuffix(s, "\n") {
		mark = "|"
	}
	return mark + "\n  " + strings.ReplaceAll(strings.Join(lines, "\n  "), "\n  \n", "\n\n")
}
