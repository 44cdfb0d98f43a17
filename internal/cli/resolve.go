package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/registry"
	"github.com/pinnace-dev/pinnace/internal/report"
)

// A resolved image is what `pinnace resolve -o json` prints for each argument.
type resolved struct {
	Image     string   `json:"image"`
	Digest    string   `json:"digest,omitempty"`
	MediaType string   `json:"mediaType,omitempty"`
	Size      int64    `json:"size,omitempty"`
	Platforms []string `json:"platforms,omitempty"`
	Pinned    string   `json:"pinned,omitempty"`
	Error     string   `json:"error,omitempty"`

	err error
}

func newResolve() *cobra.Command {
	var registries registryFlags
	var output, file string
	cmd := &cobra.Command{
		Use:   "resolve IMAGE...",
		Short: "Ask registries what images mean now: digest, media type, platforms",
		Long: `Ask registries what images mean now: digest, media type, platforms.

A tag is resolved to the digest of its index; a digest is looked up as it is. One image
that cannot be resolved stops no other.`,
		Example: `  pinnace resolve nginx:1.27 ghcr.io/acme/shop:1.4
  pinnace resolve -o json registry.k8s.io/pause:3.10`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return unknownOutput(output, "text", "json")
			}
			c, err := here(file)
			if err != nil {
				return err
			}
			client, err := registries.client(c)
			if err != nil {
				return err
			}
			defer client.Close()
			results := resolveAll(cmd.Context(), client, args)
			if output == "json" {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				if err := e.Encode(results); err != nil {
					return err
				}
			} else {
				printResolved(cmd, results)
			}
			var failed []error
			for _, r := range results {
				failed = append(failed, r.err)
			}
			if err := errors.Join(failed...); err != nil {
				return exit(statusOf(err))
			}
			return nil
		},
	}
	addOutput(cmd, &output, "text", "json")
	cmd.Flags().StringVar(&file, "config", "", "the configuration `FILE`; default: the nearest "+configPath+" above the working directory")
	registries.add(cmd)
	return cmd
}

func resolveAll(ctx context.Context, client *registry.Client, args []string) []resolved {
	out := make([]resolved, len(args))
	var wait sync.WaitGroup
	for i, arg := range args {
		wait.Go(func() {
			out[i].Image = arg
			r, err := image.Parse(arg)
			if err != nil {
				out[i].err, out[i].Error = err, arg+": "+err.Error()
				return
			}
			answer, err := client.Index(ctx, r)
			if err != nil {
				out[i].err, out[i].Error = err, err.Error()
				return
			}
			out[i].Digest, out[i].MediaType, out[i].Size = string(answer.Digest), answer.MediaType, answer.Size
			out[i].Pinned = r.WithDigest(answer.Digest).String()
			for _, c := range answer.Children {
				if c.Platform == (image.Platform{}) {
					continue
				}
				out[i].Platforms = append(out[i].Platforms, c.Platform.String())
			}
		})
	}
	wait.Wait()
	return out
}

func printResolved(cmd *cobra.Command, results []resolved) {
	w := cmd.OutOrStdout()
	for _, r := range results {
		if r.err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s %s\n", color.New(color.FgRed).Sprint("failed:"), report.Plain(r.Error))
			continue
		}
		fmt.Fprintln(w, color.New(color.Bold).Sprint(r.Pinned))
		fmt.Fprintf(w, "  media type  %s, %d bytes\n", r.MediaType, r.Size)
		if len(r.Platforms) > 0 {
			fmt.Fprintf(w, "  platforms   %s\n", report.Plain(strings.Join(r.Platforms, ", ")))
		}
	}
}
