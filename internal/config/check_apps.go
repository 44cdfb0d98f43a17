package config

import (
	"fmt"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// checkApps finds repositories that belong to two apps, however they are spelled.
func (c *Config) checkApps() Problems {
	var ps Problems
	type owner struct{ app, image int }
	owners := map[string]owner{}
	for i, a := range c.Apps {
		for j, name := range a.Images {
			ref, err := image.Parse(name)
			if err != nil {
				continue // refused already
			}
			at := fmt.Sprintf("/apps/%d/images/%d", i, j)
			first, taken := owners[ref.Repository()]
			switch {
			case !taken:
				owners[ref.Repository()] = owner{i, j}
			case first.app != i:
				line, _ := c.Locate(fmt.Sprintf("/apps/%d/images/%d", first.app, first.image))
				ps = append(ps, c.problem(Error, at, "%s is an image of app %s already, in line %d: a repository belongs to one app; delete it in one", name, c.Apps[first.app].Name, line))
			case a.Images[first.image] != name: // the same spelling twice is refused by the schema
				ps = append(ps, c.problem(Error, at, "%s is %s, which is in this list already: delete one", name, a.Images[first.image]))
			}
		}
	}
	return ps
}
