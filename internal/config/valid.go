package config

// IsPath says whether a glob can be one of an environment's paths.
func IsPath(glob string) bool { return checkGlob(glob) == nil }

// IsApp says whether an app can have a name.
func IsApp(name string) bool { return checkApp(name) == nil }

// IsRepository says whether an app can name an image so.
func IsRepository(name string) bool { return checkRepository(name) == nil }
