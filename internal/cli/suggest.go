package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// suggestFlag adds the flag that was probably meant to the error of an unknown one.
func suggestFlag(cmd *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("unknown flag --%s: did you mean --%s?", name, near)
	}
	return fmt.Errorf("unknown flag --%s", name)
}

// nearest returns the name that a misspelt one was probably meant to be, or "".
func nearest(name string, names []string) string {
	best, distance := "", len(name)/2+1
	for _, n := range names {
		d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(n))
		if d == 2 && letters(n) == letters(name) {
			d = 1 // two letters changed places
		}
		if strings.HasPrefix(n, name) && len(name) > 1 {
			d = 1
		}
		if d < distance {
			best, distance = n, d
		}
	}
	return best
}

// didYouMean ends an error about an unknown name.
func didYouMean(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		if strings.Contains(near, " ") {
			near = strconv.Quote(near)
		}
		return ": did you mean " + near + "?"
	}
	if len(names) == 0 {
		return ""
	}
	return ": there are " + strings.Join(names, ", ")
}

// letters returns the letters of a name in order.
func letters(name string) string {
	b := []byte(strings.ToLower(name))
	slices.Sort(b)
	return string(b)
}

// unknownCommand words cobra's message about a command that there is not as we do.
func unknownCommand(root *cobra.Command, message string) string {
	rest, ok := strings.CutPrefix(message, `unknown command "`)
	if !ok {
		return message
	}
	name, _, _ := strings.Cut(rest, `"`)
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	message = "unknown command " + name
	if near := nearest(name, names); near != "" {
		message += ": did you mean " + near + "?"
	}
	return message
}
