package manifest

import (
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// An aliasUse is an image place whose value is an alias.
type aliasUse struct {
	alias  *yaml.Node
	at     Finding
	option option
}

// follow returns what n stands for. An anchor is entered through aliases once, so that
// the work stays linear; a second time it gives nil.
func (w *walker) follow(n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.AliasNode {
		return n
	}
	if w.followed[n.Alias] {
		return nil
	}
	if w.followed == nil {
		w.followed = map[*yaml.Node]bool{}
	}
	w.followed[n.Alias] = true
	return n.Alias
}

// settleAliases joins the places that are aliases to the values that they read, and
// refuses values that others read for something else than an image.
func (w *walker) settleAliases() {
	images := map[*yaml.Node][]Position{} // anchored scalar -> image places that read it
	for _, use := range w.aliases {
		target := use.alias.Alias
		images[target] = append(images[target], use.at.Position)
	}
	all := map[*yaml.Node]int{}
	for _, use := range w.aliases {
		all[use.alias.Alias] = 0
	}
	for n := range w.seen {
		if n.Anchor != "" && n.Kind == yaml.ScalarNode {
			all[n] = 0
		}
	}
	if len(all) == 0 {
		return
	}
	for _, doc := range w.docs {
		countAliases(doc, all)
	}
	for n, users := range all {
		i, ok := w.seen[n]
		if !ok {
			continue
		}
		w.found[i].SharedBy = images[n]
		if others := users - len(images[n]); others > 0 && w.found[i].Problem == nil {
			w.found[i].Problem = problem(Shared, "aliases of &%s read it in places that hold no image: %d of %d", clip(n.Anchor), others, users)
		}
	}
	for _, use := range w.aliases {
		target := use.alias.Alias
		if _, ok := w.seen[target]; ok {
			continue
		}
		f := use.at
		f.Text = "*" + use.alias.Value
		if ref, err := image.Parse(strings.TrimPrefix(target.Value, use.option.prefix)); err == nil && target.Kind == yaml.ScalarNode {
			if use.option.accept != nil && !use.option.accept(ref) {
				continue
			}
			f.Image = ref
		} else if !use.option.certain {
			continue
		}
		f.Problem = problem(Alias, "an alias of &%s on line %d (aliases: %d): edit it there", clip(use.alias.Value), target.Line, all[target])
		w.add(candidate{Finding: f})
	}
}

func countAliases(n *yaml.Node, counts map[*yaml.Node]int) {
	if n.Kind == yaml.AliasNode {
		if _, ok := counts[n.Alias]; ok {
			counts[n.Alias]++
		}
		return
	}
	for _, child := range n.Content {
		countAliases(child, counts)
	}
}
