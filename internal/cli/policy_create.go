package cli

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy/scenario"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/policies"
)

// createFlags are the flags of devtctl create imagePromotionPolicy, and ours.
type createFlags struct {
	name, description, pass, fail string
	approverCount                 int
	request, builder, deploy      bool
	applyPath                     string
	from                          string
	force, print                  bool
	output                        string
	written                       *pflag.FlagSet
}

// inheritable are the flags that go with --from.
var inheritable = []string{"from", "name", "force", "print", "output"}

func newPolicyCreate() *cobra.Command {
	var f createFlags
	cmd := &cobra.Command{
		Use:   "create --name NAME | --from LIBRARY-POLICY",
		Short: "Write a promotion policy to " + policiesDir,
		Long: `Write a promotion policy to ` + policiesDir + `/NAME.yaml.

Conditions are in CEL (https://cel.dev); docs/reference/cel.md lists what they may ask. The policy
judges what it is bound to: --applyPath names a file of kind artifactPromotionPolicy whose
apps and environments are written into it as applyTo.

With --from a policy of the library is copied, with its cases; pinnace policy list shows it.
What does not validate is not written. A file that exists is kept, unless --force is given.`,
		Example: `  pinnace policy create --name="example-policy" \
      --description="This is a sample policy that promotes an image to production environment" \
      --passCondition="true" --failCondition="false" --approverCount=0 \
      --allowRequestFromApprove=false --allowImageBuilderFromApprove=false \
      --allowApproverFromDeploy=false --applyPath="path/to/applyPolicy.yaml"
  pinnace policy create --from two-people-for-production`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.output != "text" && f.output != "json" {
				return unknownOutput(f.output, "text", "json")
			}
			f.written = cmd.Flags()
			if f.from != "" {
				return f.copy(cmd)
			}
			return f.create(cmd)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "`NAME` of the policy and of its file (required without --from)")
	fl.StringVar(&f.description, "description", "", "what the policy does")
	fl.StringVar(&f.pass, "passCondition", "", "`CEL`: images that match are eligible")
	fl.StringVar(&f.fail, "failCondition", "", "`CEL`: images that match are not eligible, whatever else holds")
	fl.IntVar(&f.approverCount, "approverCount", 0, "how many people must approve, 0 to 6")
	fl.BoolVar(&f.request, "allowRequestFromApprove", false, "who asked for the promotion may approve it")
	fl.BoolVar(&f.builder, "allowImageBuilderFromApprove", false, "who built the image may approve its promotion")
	fl.BoolVar(&f.deploy, "allowApproverFromDeploy", false, "who approved may deploy")
	fl.StringVar(&f.applyPath, "applyPath", "", "`FILE` with the apps and environments where the policy holds")
	fl.StringVar(&f.from, "from", "", "copy the policy `NAME` of the library, with its cases")
	fl.BoolVar(&f.force, "force", false, "replace a file that exists")
	fl.BoolVar(&f.print, "print", false, "print it, write nothing")
	addOutput(cmd, &f.output, "text", "json")
	return cmd
}

// create writes a policy from flags.
func (f *createFlags) create(cmd *cobra.Command) error {
	switch {
	case f.name == "":
		return usage("--name is missing: name the policy, or copy one with --from; pinnace policy list shows the library")
	case f.approverCount < 0 || f.approverCount > 6:
		return usage("--approverCount is %d: want 0 to 6", f.approverCount)
	}
	pairs, err := f.pairs()
	if err != nil {
		return err
	}
	w := writer{cmd: cmd, force: f.force, print: f.print, output: f.output}
	return w.write(f.name, f.yaml(pairs), nil)
}

// pairs reads the apps and environments of --applyPath.
func (f *createFlags) pairs() ([]scenario.Pair, error) {
	if f.applyPath == "" {
		return nil, nil
	}
	data, err := readSmall(f.applyPath)
	if err != nil {
		return nil, err
	}
	docs, problems := config.Split(shown(absolute(f.applyPath)), data)
	if problems.HasErrors() {
		return nil, problems.Err()
	}
	var pairs []scenario.Pair
	var others []string
	bound := false
	for _, d := range docs {
		if d.Kind != config.KindArtifactPromotionPolicy {
			return nil, fmt.Errorf("%s:%d: the document is a %s: --applyPath takes kind %s", d.File, d.Node.Line, d.Kind, config.KindArtifactPromotionPolicy)
		}
		more, names := scenario.Pairs(d)
		if !slices.Contains(names, f.name) {
			others = append(others, names...)
			continue
		}
		bound = true
		pairs = append(pairs, more...)
	}
	if !bound {
		return nil, fmt.Errorf("%s applies %s and not %s: add it to applyToPolicyNames", shown(absolute(f.applyPath)), strings.Join(others, ", "), f.name)
	}
	return pairs, nil
}

// yaml spells the policy, with the flags that were given in the order of their documentation.
func (f *createFlags) yaml(pairs []scenario.Pair) []byte {
	var b bytes.Buffer
	b.WriteString("# yaml-language-server: $schema=https://pinnace.dev/schema/v1alpha1/image-promotion-policy.schema.json\n")
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nname: %s\n", config.APIVersion, config.KindImagePromotionPolicy, scalar(f.name))
	text := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, scalar(value))
		}
	}
	flag := func(key string, value any) {
		if f.written.Changed(key) {
			fmt.Fprintf(&b, "%s: %v\n", key, value)
		}
	}
	text("description", f.description)
	text("passCondition", f.pass)
	text("failCondition", f.fail)
	flag("approverCount", f.approverCount)
	flag("allowRequestFromApprove", f.request)
	flag("allowImageBuilderFromApprove", f.builder)
	flag("allowApproverFromDeploy", f.deploy)
	if len(pairs) == 0 {
		b.WriteString("\n# Where it holds. Until this is written, or pinnace policy apply -p FILE binds it, it judges nothing.\n# applyTo:\n#   - {app: shop, env: prod}\n#   - {production: true}\n")
		return b.Bytes()
	}
	b.WriteString("applyTo:\n")
	for _, p := range pairs {
		fmt.Fprintf(&b, "  - {app: %s, env: %s}\n", inFlow(p.App), inFlow(p.Env))
	}
	return b.Bytes()
}

// scalar spells text as YAML: a block where it has several lines, else quoted.
func scalar(s string) string {
	printable := !strings.ContainsFunc(s, func(c rune) bool {
		return c != '\n' && (c < ' ' || c >= 0x7f && c < 0xA0 || c >= 0x2028 && c <= 0x2029 || c == 0xFEFF)
	})
	switch {
	case !printable || strings.Contains(s, "\n") && (strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n")):
		return strconv.QuoteToASCII(s)
	case strings.Contains(s, "\n"):
		var b strings.Builder
		b.WriteString("|")
		if !strings.HasSuffix(s, "\n") {
			b.WriteString("-")
		} else if strings.HasSuffix(s, "\n\n") {
			b.WriteString("+")
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n") {
			b.WriteString("\n")
			if line != "" {
				b.WriteString("  " + line)
			}
		}
		return b.String()
	}
	return inFlow(s)
}

// inFlow spells text of one line as YAML, also between brackets: plain where it cannot be
// taken for anything else.
func inFlow(s string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	plain := s != "" && strings.Trim(s, letters+"0123456789-_./") == "" && strings.ContainsAny(s[:1], letters)
	if plain && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// copy writes a policy of the library, with its cases.
func (f *createFlags) copy(cmd *cobra.Command) error {
	var odd []string
	f.written.Visit(func(p *pflag.Flag) {
		if !slices.Contains(inheritable, p.Name) {
			odd = append(odd, "--"+p.Name)
		}
	})
	if len(odd) > 0 {
		return usage("%s does not go with --from: copy the policy, then edit its file", strings.Join(odd, ", "))
	}
	data, err := fs.ReadFile(policies.FS, f.from+".yaml")
	if err != nil {
		return usage("--from %s: no such policy%s", f.from, didYouMean(f.from, libraryNames()))
	}
	name := f.from
	if f.name != "" && f.name != f.from {
		name = f.name
		if data, err = renamed(data, f.from, name); err != nil {
			return err
		}
	}
	cases, err := casesOf(f.from, name)
	if err != nil {
		return err
	}
	w := writer{cmd: cmd, force: f.force, print: f.print, output: f.output}
	return w.write(name, data, cases)
}

// renamed changes the name of a policy of the library.
func renamed(data []byte, from, to string) ([]byte, error) {
	line := []byte("\nname: " + from + "\n")
	if bytes.Count(data, line) != 1 {
		return nil, fmt.Errorf("the policy %s of the library cannot be renamed: copy it without --name", from) // unreachable: a test renames each
	}
	return bytes.Replace(data, line, []byte("\nname: "+scalar(to)+"\n"), 1), nil
}

// casesOf returns the cases of a policy of the library, in a world of their own.
func casesOf(from, to string) ([]byte, error) {
	data, err := fs.ReadFile(policies.FS, from+".txtar")
	if err != nil {
		return nil, err
	}
	if from != to {
		data = bytes.ReplaceAll(data, []byte(from), []byte(to))
	}
	if s, _ := scenario.Parse(from, data); !s.Own {
		data = fmt.Appendf(bytes.TrimRight(data, "\n"), "\n\n-- config.yaml --\n# The world of these cases.\n%s", scenario.DefaultConfig)
	}
	return data, nil
}

// maxName is how long the name of a policy and of its file may be.
const maxName = 100

// A writer writes documents that validate.
type writer struct {
	cmd          *cobra.Command
	force, print bool
	same         bool // a file with the same bytes is left alone
	output       string
}

// write writes policies/NAME.yaml, and its cases beside it.
func (w writer) write(name string, data, cases []byte) error {
	if name != filepath.Base(name) || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		return usage("%q cannot name a file: use letters, digits, - and _", name)
	}
	if len(name) > maxName {
		return usage("--name has %d characters: want %d at most", utf8.RuneCountInString(name), maxName)
	}
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" || ext == ".txtar" {
		return usage("--name %s ends in %s, which its file gets by itself: write --name %s", name, ext, strings.TrimSuffix(name, ext))
	}
	root, err := findRoot(".")
	if err != nil {
		return err
	}
	if root == "" {
		if root, err = os.Getwd(); err != nil {
			return err
		}
	}
	file := filepath.Join(root, filepath.FromSlash(policiesDir), name+".yaml")
	names, problems, err := validated(w.cmd.Context(), root, file, data)
	if err != nil {
		return err
	}
	if hasErrors(problems) {
		complaint := complain(w.cmd.ErrOrStderr(), problems)
		if !w.print {
			fmt.Fprintf(w.cmd.ErrOrStderr(), "pinnace: %s was not written\n", report.Plain(shown(file)))
		}
		return complaint
	}
	out := report.Written{Names: names, Problems: problems}
	if w.print {
		if w.output == "json" {
			return out.JSON(w.cmd.OutOrStdout())
		}
		_, err := w.cmd.OutOrStdout().Write(data)
		return err
	}
	if old, err := os.ReadFile(file); err == nil && w.same && bytes.Equal(old, data) {
		out.File = shown(file)
		if w.output == "json" {
			return out.JSON(w.cmd.OutOrStdout())
		}
		report.WriteProblems(w.cmd.OutOrStdout(), problems)
		fmt.Fprintf(w.cmd.OutOrStdout(), "unchanged: %s says this already; next: pinnace policy validate\n", report.Plain(out.File))
		return nil
	}
	beside := strings.TrimSuffix(file, ".yaml") + ".txtar"
	if !w.force {
		for _, f := range []string{file, beside} {
			if _, err := os.Lstat(f); err == nil && !(f == beside && cases == nil) {
				return fmt.Errorf("%s exists; --force replaces it", shown(f))
			}
		}
	}
	if err := writeNew(file, data, w.force); err != nil {
		return err
	}
	out.File = shown(file)
	if cases != nil {
		if err := writeNew(beside, cases, w.force); err != nil {
			return err
		}
		out.Cases = shown(beside)
	}
	if w.output == "json" {
		return out.JSON(w.cmd.OutOrStdout())
	}
	report.WriteProblems(w.cmd.OutOrStdout(), problems)
	if out.Cases != "" {
		fmt.Fprintf(w.cmd.OutOrStdout(), "wrote %s and its cases %s; next: pinnace policy test\n", report.Plain(out.File), report.Plain(out.Cases))
		return nil
	}
	fmt.Fprintf(w.cmd.OutOrStdout(), "wrote %s; next: pinnace policy validate\n", report.Plain(out.File))
	return nil
}

// validated holds a file that is to be written to the documents beside it. It returns the
// names of its documents, and the problems of this file alone.
func validated(ctx context.Context, root, file string, data []byte) (names []string, problems []report.DocumentProblem, err error) {
	b := &folder{root: root, config: config.Default()}
	if info, err := os.Stat(filepath.Join(root, pinnaceDir)); err == nil && info.IsDir() {
		if b, err = openRules(ctx, root); err != nil {
			return nil, nil, err
		}
		if b.broken() {
			return nil, b.problems, nil
		}
	}
	name := shown(file)
	b.docs = slices.DeleteFunc(b.docs, func(d config.Document) bool { return d.File == name })
	docs, found := config.Split(name, data)
	for _, p := range found {
		problems = append(problems, report.DocumentProblem{File: p.File, Line: p.Line, Column: p.Column, Severity: p.Severity.String(), Message: p.Message})
	}
	b.docs = append(b.docs, docs...)
	_, all := b.load()
	for _, p := range all {
		if p.File == name {
			problems = append(problems, p)
		}
	}
	for _, d := range docs {
		if _, bound := scenario.Pairs(d); d.Kind == config.KindArtifactPromotionPolicy {
			names = append(names, bound...)
		} else if n := scenario.NameOf(d); n != "" {
			names = append(names, n)
		}
	}
	return names, problems, nil
}
