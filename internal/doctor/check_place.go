package doctor

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/image"
)

var placeChecks = []Check{
	{
		ID: "images.pinned", Title: "Images are pinned", judge: judgeImages,
		About: "A tag can mean another image tomorrow.",
	},
	{
		ID: "registries", Title: "Registries answer", judge: judgeRegistries,
		About: "An image in a registry that does not answer is not pinned, and what it belongs to is not promoted.",
	},
	{
		ID: "cache", Title: "The cache of git can be written", judge: judgeCache,
		About: "Without a cache every run fetches the whole repository.",
	},
	{
		ID: "database", Title: "The database", judge: judgeDatabase,
		About: "pinnace serve takes no delivery while its database cannot be written.",
	},
	{
		ID: "server", Title: "The server is ready", judge: judgeServer,
		About: "What is not ready is sent no delivery.",
	},
}

func judgeImages(f *Facts) Finding {
	t, no := f.Tree.get()
	if no != nil {
		return *no
	}
	seen := map[image.Ref]bool{}
	var loose []string
	all := map[image.Ref]bool{}
	for _, s := range t.Standing {
		if s.Overridden {
			continue
		}
		all[s.Image] = true
		if !s.Image.Pinned() && !seen[s.Image] {
			seen[s.Image] = true
			loose = append(loose, s.Image.String()+" in "+s.Path)
		}
	}
	switch {
	case len(all) == 0:
		return ok("there is none")
	case loose == nil:
		return ok("%s", count(len(all), "image"))
	}
	return warn("let Pinnace open pull requests (pinnace reconcile), or run pinnace pin in a checkout", "%d of %d are not", len(loose), len(all)).with(loose)
}

func judgeRegistries(f *Facts) Finding {
	all, no := f.Registries.first()
	if no != nil {
		return *no
	}
	if len(all) == 0 {
		return ok("no image names one")
	}
	var names, bad []string
	login := false
	for _, p := range all {
		names = append(names, p.Name)
		if p.Err != nil {
			bad = append(bad, p.Name+": "+p.Err.Error())
			login = login || p.Auth
		}
	}
	if bad == nil {
		return ok("%s", strings.Join(names, ", "))
	}
	fix := "see that the registry is up and that this machine reaches it"
	if login {
		fix = "log in with docker login (or podman, crane) as the account that Pinnace runs as, or give the server that Docker configuration"
	}
	return problem(fix, "%d of %d gave no answer", len(bad), len(all)).with(bad)
}

func judgeCache(f *Facts) Finding {
	seen, no := f.Cache.get()
	if no != nil {
		if f.Cache.err != nil {
			return problem("name a directory that can be written with --cache, or --cache off", "%v", f.Cache.err)
		}
		return *no
	}
	return ok("%s", seen)
}

func judgeDatabase(f *Facts) Finding {
	seen, no := f.Database.get()
	if no != nil {
		if f.Database.err != nil {
			return problem("see that it runs, that the name and password are right, and that the account may create tables", "%v", f.Database.err)
		}
		return *no
	}
	return ok("%s", seen)
}

func judgeServer(f *Facts) Finding {
	seen, no := f.Server.get()
	if no != nil {
		if f.Server.err != nil {
			return problem("read the server's log; /readyz says which part is not ready", "%v", f.Server.err)
		}
		return *no
	}
	return ok("%s", seen)
}
