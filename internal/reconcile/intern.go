package reconcile

import (
	"github.com/pinnace-dev/pinnace/internal/check"
)

// intern lets equal strings of findings be one: most places of a repository hold an image
// that others hold too, in objects of few kinds.
func intern(files []check.File) {
	known := map[string]string{}
	for i := range files {
		all := files[i].Result.Findings
		for k := range all {
			f := &all[k]
			for _, s := range []*string{
				&f.Text, &f.Image.Name, &f.Image.Tag, (*string)(&f.Image.Digest), &f.Pointer, &f.Overrides, &f.TagComment,
				&f.Object.APIVersion, &f.Object.Kind, &f.Object.Namespace, &f.Object.Name,
			} {
				if *s == "" {
					continue
				}
				same, ok := known[*s]
				if !ok {
					same, known[*s] = *s, *s
				}
				*s = same
			}
		}
	}
}
