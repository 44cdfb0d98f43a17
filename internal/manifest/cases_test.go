package manifest

import (
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// d is the digest that the tests pin a/b:1 to.
var d = string(digestOf(image.Ref{Name: "a/b", Tag: "1"}))

// A bytesCase is one entry of the list of awkward bytes. In stands for the bytes before
// with a "§" where the digest is to appear, and nowhere else; without one nothing may
// change. Code is the problem that is reported, on the image or on the file.
type bytesCase struct {
	name   string
	in     string
	code   Code
	out    string // the bytes after, where more than one digest is added; "D" is the digest
	format Format // YAML where zero
	none   bool   // nothing is found
}

const pod = "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - name: x\n    "

// block wraps one line of a container into a pod.
func block(line string) string { return pod + line }

// flow wraps a value into a one-line pod.
func flow(entry string) string {
	return `{"kind": Pod, "apiVersion": v1, "spec": {"containers": [{` + entry + "}]}}\n"
}

var bytesCases = []bytesCase{
	{name: "001 plain", in: block("image: a/b:1§\n")},
	{name: "002 no final newline", in: block("image: a/b:1§")},
	{name: "003 trailing blanks", in: block("image: a/b:1§  \t\n")},
	{name: "004 comment after one space", in: block("image: a/b:1§ # c\n")},
	{name: "005 comment after two spaces", in: block("image: a/b:1§  # c\n")},
	{name: "006 hash inside the value", in: block("image: a/b:1#x\n"), code: Malformed},
	{name: "007 single quoted", in: block("image: 'a/b:1§'\n")},
	{name: "008 double quoted", in: block("image: \"a/b:1§\"\n")},
	{name: "009 escape x3a", in: block(`image: "a/b\x3a1§"` + "\n")},
	{name: "010 escape u0061", in: block(`image: "\u0061/b:1§"` + "\n")},
	{name: "011 escaped slash", in: block(`image: "a\/b:1"` + "\n"), code: Unreadable},
	{name: "012 escaped line break", in: block("image: \"a/b\\\n      :1\"\n"), code: Multiline},
	{name: "013 double quoted over lines", in: block("image: \"a/b:1\n\n      \"\n"), code: Malformed},
	{name: "014 single quoted over lines", in: block("image: 'a/b:1\n      '\n"), code: Malformed},
	{name: "015 plain over lines", in: block("image: a/b:1\n      x\n"), code: Malformed},
	{name: "016 value on the next line", in: block("image:\n      a/b:1§\n")},
	{name: "017 value on the next line after a comment", in: block("image: # c\n      a/b:1§\n")},
	{name: "018 folded and stripped", in: block("image: >-\n      a/b:1\n"), code: Block},
	{name: "019 literal", in: block("image: |\n      a/b:1\n"), code: Malformed},
	{name: "020 literal with indicators", in: block("image: |2-\n      a/b:1\n"), code: Block},
	{name: "021 folded with a comment", in: block("image: >- # c\n      a/b:1\n"), code: Block},
	{name: "022 flow mapping", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{name: x, image: a/b:1§, args: [y]}]}\n"},
	{name: "023 flow mapping that ends after the value", in: flow("image: a/b:1§")},
	{name: "024 flow mapping over lines", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{\n  image: a/b:1§,\n  name: x\n}]}\n"},
	{name: "025 flow sequence", in: "image: [a/b:1]\nimage2: {image: a/b:1§}\n"},
	{name: "026 JSON, pretty", in: "{\n  \"kind\": \"Pod\", \"apiVersion\": \"v1\",\n  \"spec\": {\"containers\": [\n    {\"image\": \"a/b:1§\"}\n  ]}\n}\n"},
	{name: "027 JSON, tabs", in: "{\n\t\"kind\": \"Pod\", \"apiVersion\": \"v1\",\n\t\"spec\": {\"containers\": [\n\t\t{\"image\": \"a/b:1§\"}\n\t]}\n}\n"},
	{name: "028 JSON, minified, no newline", in: `{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"a/b:1§"}]}}`},
	{name: "029 JSON, duplicate key", in: `{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"a/b:1","image":"c/d:1"}]}}`, code: Duplicate},
	{name: "030 tab after the colon", in: block("image:\ta/b:1§\n")},
	{name: "031 tab before the comment", in: block("image: a/b:1§\t# c\n")},
	{name: "032 tab indent", in: "spec:\n\tcontainers:\n\t- image: a/b:1\n", code: Unreadable},
	{name: "033 CRLF", in: strings.ReplaceAll(block("image: a/b:1§\n    args: []\n"), "\n", "\r\n")},
	{name: "034 CRLF, quoted, comment", in: strings.ReplaceAll(block("image: 'a/b:1§' # c\n"), "\n", "\r\n")},
	{name: "035 CRLF block scalar before", in: strings.ReplaceAll(block("command: [sh]\n    x: |\n      l1\n      l2\n    image: a/b:1§\n"), "\n", "\r\n")},
	{name: "036 mixed line endings", in: "kind: Pod\r\napiVersion: v1\nspec:\r\n  containers:\n  - image: a/b:1§\r\n    name: x\n"},
	{name: "037 CR only", in: strings.ReplaceAll(block("image: a/b:1§\n    args: []\n"), "\n", "\r")},
	{name: "038 lone CR in a comment", in: "# c\rkind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: a/b:1§\n"},
	{name: "039 BOM", in: "\ufeff" + block("image: a/b:1§\n")},
	{name: "040 BOM and document start", in: "\ufeff---\n" + block("image: a/b:1§\n")},
	{name: "041 BOM in a second document", in: "a: b\n---\n\ufeffimage: a/b:1\n", code: Unreadable},
	{name: "042 UTF-16LE", in: "\xff\xfei\x00m\x00a\x00g\x00e\x00:\x00", code: Unreadable, format: Values},
	{name: "043 UTF-16BE", in: "\xfe\xff\x00i\x00m\x00a\x00g\x00e\x00:", code: Unreadable, format: Values},
	{name: "044 Latin-1", in: "# caf\xe9\n" + block("image: a/b:1\n"), code: Unreadable},
	{name: "045 NUL", in: block("image: a/b:1\n    x: \"\x00\"\n"), code: Unreadable},
	{name: "046 control character", in: block("image: a/b:1\n    x: \"\x01\"\n"), code: Unreadable},
	{name: "047 é before it on the line", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{name: é, image: a/b:1§}]}\n"},
	{name: "048 CJK before it on the line", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{name: 容器, image: a/b:1§}]}\n"},
	{name: "049 astral emoji before it on the line", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{name: \"🚢\", image: a/b:1§}]}\n"},
	{name: "050 combining characters before it on the line", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{name: \"e\u0301\", image: a/b:1§}]}\n"},
	{name: "051 multibyte key", in: "kind: Pod\napiVersion: v1\nspec: {ключ: [{image: a/b:1§}]}\n"},
	{name: "052 NEL in a comment", in: "# c\u0085# d\n" + block("image: a/b:1§\n")},
	{name: "053 LS in a double quoted value", in: block("x: \"p\u2028      q\"\n    image: a/b:1§\n")},
	{name: "054 PS in a literal block", in: block("x: |\n      p\u2029      q\n    image: a/b:1§\n")},
	{name: "055 NBSP", in: block("image: a/b:1\u00a0\n"), code: Malformed},
	{name: "056 ZWSP in the value", in: block("image: a/\u200bb:1\n"), code: Malformed},
	{name: "057 anchor", in: block("image: &i a/b:1§\n")},
	{name: "058 anchor, quoted", in: block("image: &i 'a/b:1§'\n")},
	{name: "059 anchor on a line of its own", in: block("image: &i\n      a/b:1§\n")},
	{name: "060 anchor and tag, in both orders", in: block("image: &i !!str a/b:1§\n")},
	{name: "060 tag and anchor", in: block("image: !!str &i a/b:1§\n")},
	{name: "061 !!str", in: block("image: !!str a/b:1§\n")},
	{name: "062 verbatim tag", in: block("image: !<tag:yaml.org,2002:str> a/b:1§\n")},
	{name: "063 local tag", in: block("image: !env a/b:1\n"), code: Malformed},
	{name: "064 non-specific tag", in: block("image: ! a/b:1§\n")},
	{name: "065 alias as the value", in: "ref: &r a/b:1\n" + block("image: *r\n"), code: Alias},
	{name: "066 merge key", in: "kind: Pod\napiVersion: v1\nbase: &b\n  image: a/b:1§\nspec:\n  containers:\n  - <<: *b\n    name: x\n"},
	{name: "067 merge key, overridden", in: "kind: Pod\napiVersion: v1\nbase: &b\n  args: []\nspec:\n  containers:\n  - <<: *b\n    image: a/b:1§\n"},
	{name: "068 merge list", in: "kind: Pod\napiVersion: v1\np: &p {args: []}\nq: &q {image: a/b:1§}\nspec:\n  containers:\n  - <<: [*p, *q]\n"},
	{name: "069 duplicate keys", in: block("image: a/b:1\n    image: a/b:2\n"), code: Duplicate},
	{name: "070 complex key", in: block("? image\n    : a/b:1§\n")},
	{name: "071 quoted key", in: block("\"image\": a/b:1§\n")},
	{name: "072 blanks before the colon", in: block("image  : a/b:1§\n")},
	{name: "073 two documents", in: "a: b\n---\n" + block("image: a/b:1§\n") + "---\nc: d\n"},
	{name: "074 document on its start line", in: "--- {kind: Pod, apiVersion: v1, spec: {containers: [{image: a/b:1§}]}}\n"},
	{name: "075 comment on the start line", in: "--- # c\n" + block("image: a/b:1§\n")},
	{name: "076 document end", in: block("image: a/b:1§\n") + "...\n"},
	{name: "077 document end, then start", in: block("image: a/b:1§\n") + "...\n---\na: b\n"},
	{name: "078 empty documents", in: "---\n---\n" + block("image: a/b:1§\n") + "---\n---\n"},
	{name: "079 %YAML 1.1", in: "%YAML 1.1\n---\n" + block("image: a/b:1§\n")},
	{name: "080 %YAML 1.2", in: "%YAML 1.2\n---\n" + block("image: a/b:1§\n")},
	{name: "081 %TAG", in: "%TAG !e! tag:e.com,2000:\n---\n" + block("image: a/b:1§\n")},
	{name: "082 document start inside a literal", in: block("x: |\n      ---\n      y\n    image: a/b:1§\n")},
	{name: "083 sequence without indent", in: "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: a/b:1§\n"},
	{name: "084 blanks after the dash", in: "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  -   image: a/b:1§\n"},
	{name: "085 nested dashes", in: "- - image: a/b:1§\n"},
	{name: "086 empty value", in: block("image:\n"), code: Missing},
	{name: "087 null", in: block("image: null\n"), code: Missing},
	{name: "088 tag 1.10", in: "image: {repository: a/b, tag: 1.10}\n", code: Number, format: Values},
	{name: "089 tag 0123", in: "image: {repository: a/b, tag: 0123}\n", code: Number, format: Values},
	{name: "090 tag 1e3", in: "image: {repository: a/b, tag: 1e3}\n", code: Number, format: Values},
	{name: "091 tag that is a date", in: "images:\n- name: a/b\n  newTag: 2024-01-02\n", out: "images:\n- name: a/b\n  newTag: 2024-01-02\n  digest: D(2024-01-02)\n", format: Kustomization},
	{name: "092 tag 12:30", in: "images:\n- name: a/b\n  newTag: 12:30\n", code: Malformed, format: Kustomization},
	{name: "093 tag on", in: "image: {repository: a/b, tag: on}\n", out: "image: {repository: a/b, tag: on@D(on)}\n", format: Values},
	{name: "094 Helm template, bare", in: block("image: {{ .Values.image }}\n"), code: Templated},
	{name: "095 Helm template, quoted", in: block("image: \"{{ .Values.image }}\"\n"), code: Templated},
	{name: "096 Helm control lines", in: block("{{- if .Values.x }}\n    image: a/b:1\n    {{- end }}\n"), code: Templated},
	{name: "097 template in a comment", in: "# {{ x }}\n" + block("image: a/b:1§\n")},
	{name: "098 Jinja", in: block("image: \"{% if x %}a/b:1{% endif %}\"\n"), code: Templated},
	{name: "099 envsubst", in: block("image: ${REGISTRY}/b:${TAG}\n"), code: Templated},
	{name: "100 ytt", in: block("image: #@ data.values.image\n"), code: Missing},
	{name: "101 SOPS", in: block("image: ENC[AES256_GCM,data:abc,iv:def,tag:ghi,type:str]\n"), code: Encrypted},
	{name: "102 a line of 3,000 characters", in: "kind: Pod\napiVersion: v1\nspec: {containers: [{name: " + strings.Repeat("n", 3000) + ", image: a/b:1§}]}\n"},
	{name: "103 a key of 1,100 characters", in: strings.Repeat("k", 1100) + ": x\n" + block("image: a/b:1\n"), code: Unreadable},
	{name: "104 600 blanks before the comment", in: block("image: a/b:1§" + strings.Repeat(" ", 600) + "# c\n")},
	{name: "105 600 blank lines", in: strings.Repeat("\n", 600) + block("image: a/b:1§\n")},
	{name: "106 tab in a comment", in: block("image: a/b:1§ #\tc\n")},
	{name: "106 comment indented by a tab", in: block("image: a/b:1\n\t# c\n    args: []\n"), code: Unreadable},
	{name: "107 commented-out image", in: block("# image: c/d:1\n    image: a/b:1§\n")},
	{name: "108 embedded manifest", in: "apiVersion: v1\nkind: ConfigMap\ndata:\n  p.yaml: |\n    image: a/b:1\n", code: Embedded},
	{name: "109 deep flow", in: strings.Repeat("[", 190) + "{image: a/b:1§}" + strings.Repeat("]", 190) + "\n"},
	{name: "110 deep block", in: deepBlock(150) + "image: a/b:1§\n"},
	{name: "111 alias bomb", in: bomb() + "image: a/b:1§\n"},
	{name: "112 self anchor", in: "self: &s [*s]\nimage: a/b:1§\n"},
	{name: "113 unknown alias", in: block("image: a/b:1\n    x: *nope\n"), code: Unreadable},
	{name: "114 anchor defined twice", in: "x: &i c\ny: &i d\nz: *i\n" + block("image: a/b:1§\n")},
	{name: "115 anchor across documents", in: "x: &i a/b:1\n---\n" + block("image: *i\n"), code: Alias},
	{name: "116 empty file", in: "", none: true},
	{name: "117 only a comment", in: "# image: a/b:1\n", none: true},
	{name: "118 only a document start", in: "---\n", none: true},
	{name: "119 scalar at the top", in: "image\n", none: true},
	{name: "120 conflict markers", in: pod + "<<<<<<< HEAD\n    image: a/b:1\n=======\n    image: a/b:2\n>>>>>>> x\n", code: Unreadable},
	{name: "121 unbalanced quote", in: block("image: \"a/b:1\n"), code: Unreadable},
	{name: "122 pinned already", in: block("image: a/b:1@sha256:" + strings.Repeat("a", 64) + "\n")},
	{name: "123 registry with a port", in: block("image: localhost:5000/b:1@\n"), code: Malformed},
	{name: "123 registry with a port, unpinned", in: block("image: r.io:5000/b:1\n"), out: block("image: r.io:5000/b:1@D(r.io:5000/b:1)\n")},
	{name: "124 foot comment", in: block("image: a/b:1§\n    # foot\n\n# end\n")},
	{name: "125 Flux marker", in: block("image: a/b:1§ # {\"$imagepolicy\": \"flux-system:app\"}\n")},
	{name: "126 two edits on one flow line", in: flow("image: a/b:1§}, {name: é, image: 'a/b:1§'")},
	{name: "127 newTag of digits", in: "images:\n- name: a/b\n  newTag: 12e4567\n", out: "images:\n- name: a/b\n  newTag: \"12e4567\"\n  digest: D(12e4567)\n", format: Kustomization},
	{name: "128 newTag without digest, CRLF", in: "images:\r\n- name: a/b\r\n  newTag: x\r\n- name: c\r\n", out: "images:\r\n- name: a/b\r\n  newTag: x\r\n  digest: D(x)\r\n- name: c\r\n", format: Kustomization},
	{name: "129 insert after the last line, no final newline", in: "images:\n- name: a/b\n  newTag: x", out: "images:\n- name: a/b\n  newTag: x\n  digest: D(x)", format: Kustomization},
	{name: "130 no insert into flow: newTag carries the digest", in: "images: [{name: a/b, newTag: x}]\n", out: "images: [{name: a/b, newTag: x@D(x)}]\n", format: Kustomization},
	{name: "131 newName with a tag", in: "images:\n- name: a/b\n  newName: c/d:1\n", code: Malformed, format: Kustomization},
	{name: "132 tag of 129 characters", in: block("image: a/b:" + strings.Repeat("t", 129) + "\n"), code: Malformed},
	{name: "133 upper case repository", in: block("image: a/B:1\n"), code: Malformed},
	{name: "134 sha512 digest", in: block("image: a/b:1@sha512:" + strings.Repeat("a", 128) + "\n")},
	{name: "135 truncated digest", in: block("image: a/b:1@sha256:" + strings.Repeat("a", 63) + "\n"), code: Malformed},
	{name: "136 IPv6 registry", in: block("image: \"[2001:db8::1]:5000/b:1\"\n"), out: block("image: \"[2001:db8::1]:5000/b:1@D([2001:db8::1]:5000/b:1)\"\n")},
	{name: "137 the same image twice, once pinned", in: block("image: a/b:1@sha256:"+strings.Repeat("a", 64)+"\n") + "  - image: a/b:1§\n"},
	{name: "140 List with a CronJob", in: "apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: CronJob\n  spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a/b:1§}]}}}}}\n"},
	{name: "141 ephemeral container", in: "kind: Pod\napiVersion: v1\nspec:\n  ephemeralContainers:\n  - image: a/b:1§\n"},
	{name: "142 image volume", in: "kind: Pod\napiVersion: v1\nspec:\n  volumes:\n  - image: {reference: a/b:1§}\n"},
	{name: "145 LFS pointer", in: "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\nimage: \n", code: Unreadable, format: Values},
	{name: "146 LS in a neighbouring value", in: block("x: p\u2028      q\n    image: a/b:1§\n")},
	{name: "148 licence header before the start", in: "# Copyright\n#\n# Licence\n\n---\n" + block("image: a/b:1§\n")},
}

// The cases 138 and 139 (a tag that moved, a platform's manifest) are what a registry
// says and stand in internal/check; 143, 144 and 147 (a file that changed, a symbolic
// link, a file's mode) are what a disk says and stand in internal/dir and cmd/pinnace.
func TestBytes(t *testing.T) {
	for _, tc := range bytesCases {
		t.Run(tc.name, func(t *testing.T) {
			f := tc.format
			if f == None {
				f = YAML
			}
			in := strings.ReplaceAll(tc.in, "§", "")
			want := strings.ReplaceAll(tc.in, "§", "@"+d)
			if tc.out != "" {
				want = fill(t, tc.out)
			}
			r := Scan([]byte(in), f)
			if got := pin(t, []byte(in), f); string(got) != want {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
			if found := len(r.Findings) + b2i(r.Problem != nil); (found == 0) != tc.none {
				t.Errorf("found %d", found)
			}
			if got := codes(r); tc.code != "" && !strings.Contains(got, string(tc.code)) || tc.code == "" && got != "" {
				t.Errorf("problems %q, want %q\n%s", got, tc.code, describe(r))
			}
			if strings.Contains(tc.in, "§") {
				checkSpans(t, in, r)
			}
		})
	}
}

// checkSpans holds each position to the bytes that it names.
func checkSpans(t *testing.T, in string, r Result) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Problem != nil || f.Place == KustomizeImage || strings.Contains(in, `\`) {
			continue
		}
		if got := in[f.Span.Start:f.Span.End]; got != f.Text {
			t.Errorf("span holds %q, the finding says %q", got, f.Text)
		}
	}
}

// fill replaces "D(x)" by the digest of the image x, or of a/b:x.
func fill(t *testing.T, s string) string {
	t.Helper()
	for {
		before, rest, ok := strings.Cut(s, "D(")
		if !ok {
			return s
		}
		name, after, ok := strings.Cut(rest, ")")
		if !ok {
			t.Fatalf("no closing parenthesis in %q", s)
		}
		if !strings.Contains(name, "/") {
			name = "a/b:" + name
		}
		ref, err := image.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		s = before + string(digestOf(ref)) + after
	}
}

func codes(r Result) string {
	var all []string
	if r.Problem != nil {
		all = append(all, string(r.Problem.Code))
	}
	for _, f := range r.Findings {
		if f.Problem != nil {
			all = append(all, string(f.Problem.Code))
		}
	}
	return strings.Join(all, " ")
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "k:\n")
	}
	return b.String() + strings.Repeat(" ", n)
}

func bomb() string {
	s := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := range 8 {
		p := string(rune('0' + i))
		n := string(rune('1' + i))
		s += "a" + n + ": &a" + n + " [*a" + p + ", *a" + p + ", *a" + p + ", *a" + p + ", *a" + p + ", *a" + p + ", *a" + p + ", *a" + p + ", *a" + p + "]\n"
	}
	return s
}
