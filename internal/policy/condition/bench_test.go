package condition

import "testing"

func BenchmarkCompile(b *testing.B) {
	examples := Reference()[:20]
	if _, err := shared(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, e := range examples {
			if c, _ := Compile(e.Example); c == nil {
				b.Fatal(e.Example)
			}
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	f := everything(b)
	for name, source := range map[string]string{
		"tag":        `containerImageTag.startsWith("v") && envName == "prod"`,
		"versions":   `semver(image.tag) > semver(image.previous.tag)`,
		"signatures": `images.all(i, signedBy(i, "https://github.com/acme/.*", "https://token.actions.githubusercontent.com"))`,
		"commits":    `gitCommitDetails.filter(d, d.startsWith("https://github.com/acme")).map(r, gitCommitDetails[r].branch).exists_one(b, b == "main")`,
	} {
		c := compiled(b, source)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if o := c.Evaluate(f); o.Verdict != True {
					b.Fatal(o)
				}
			}
		})
	}
}
