package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/pinnace-dev/pinnace/internal/check"
)

// Home is where the tool is described.
const Home = "https://github.com/pinnace-dev/pinnace"

// SARIF writes the findings as SARIF 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html). A finding's partial
// fingerprint depends on its rule, file, place and image name, not on its line or tag, so
// that an alert stays the same alert while the file moves around it.
func (c Check) SARIF(w io.Writer, version string) error {
	run := sarif.NewRunWithInformationURI("pinnace", Home)
	run.Tool.Driver.WithSemanticVersion(version)
	run.WithColumnKind("unicodeCodePoints")
	for _, r := range check.Rules() {
		run.AddRule(string(r.Code)).
			WithName(r.Name).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(r.Short)).
			WithFullDescription(sarif.NewMultiformatMessageString().WithText(r.Help)).
			WithHelp(sarif.NewMultiformatMessageString().WithText(r.Help)).
			WithHelpURI(Home + "/blob/main/docs/findings.md#" + strings.ToLower(string(r.Code))).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(string(r.Severity)))
	}
	seen := map[string]int{}
	for _, f := range c.Findings {
		region := sarif.NewRegion().WithStartLine(f.Position.Line).WithStartColumn(f.Position.Column)
		if f.End > 0 {
			region.WithEndColumn(f.End)
		}
		location := sarif.NewLocationWithPhysicalLocation(sarif.NewPhysicalLocation().
			WithArtifactLocation(sarif.NewSimpleArtifactLocation((&url.URL{Path: f.Path}).EscapedPath())).
			WithRegion(region))
		if f.Object != "" {
			location.AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(Plain(f.Object) + Plain(f.Pointer)).WithKind("resource"))
		}
		key := fingerprint(f)
		seen[key]++
		run.CreateResultForRule(string(f.Code)).
			WithRuleIndex(run.GetRuleIndex(string(f.Code))).
			WithLevel(string(f.Severity)).
			WithMessage(sarif.NewTextMessage(Plain(f.Message) + hint(f))).
			AddLocation(location).
			WithPartialFingerprints(map[string]string{"pinnace/v1": fmt.Sprintf("%s:%d", key, seen[key])})
	}
	report := sarif.NewReport()
	report.AddRun(run)
	return report.PrettyWrite(w)
}

// hint says what to do, as a sentence that follows the message.
func hint(f check.Finding) string {
	switch {
	case f.Fix == "":
		return ""
	case strings.HasPrefix(f.Fix, "pinnace "):
		return ". Run: " + Plain(f.Fix)
	}
	return ". " + strings.ToUpper(f.Fix[:1]) + Plain(f.Fix[1:])
}

func fingerprint(f check.Finding) string {
	name, _, _ := strings.Cut(f.Image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(f.Code), f.Path, f.Object, f.Pointer, name}, "\x00")))
	return hex.EncodeToString(sum[:16])
}
