package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A spot is a value to which the prototype adds a digest.
type spot struct {
	path, ref, value, latest string
	line                     int
}

// prototype is the bare thing that the ratios are printed against: it decodes the files
// that may hold an image, asks for each image once, and splices into the line. It proves
// nothing, knows no dialect but the most common keys, and writes in place.
func prototype(root string) error {
	var mu sync.Mutex
	var spots []spot
	scan, ask := errgroup.Group{}, errgroup.Group{}
	scan.SetLimit(2)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		scan.Go(func() error {
			data, err := os.ReadFile(path)
			has := func(s string) bool { return bytes.Contains(data, []byte(s)) }
			if err != nil || has("kind: CustomResourceDefinition") || !has("image:") && !has("image\":") && !has("newTag") {
				return err
			}
			for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
				var doc yaml.Node
				if err := decoder.Decode(&doc); err != nil {
					return nil
				}
				mu.Lock()
				spots = visit(&doc, path, spots)
				mu.Unlock()
			}
		})
		return nil
	})
	if err := errors.Join(err, scan.Wait()); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
	digests, files := map[string]string{}, map[string][]spot{}
	ask.SetLimit(50)
	for _, s := range spots {
		files[s.path] = append(files[s.path], s)
		digests[s.ref] = ""
	}
	for _, ref := range slices.Collect(maps.Keys(digests)) {
		ask.Go(func() error {
			host, name, _ := strings.Cut(ref, "/")
			resp, err := client.Head(fmt.Sprintf("http://%s/v2/%s", host, strings.Replace(name, ":", "/manifests/", 1)))
			if err != nil {
				return err
			}
			mu.Lock()
			digests[ref] = resp.Header.Get("Docker-Content-Digest")
			mu.Unlock()
			return resp.Body.Close()
		})
	}
	if err := ask.Wait(); err != nil {
		return err
	}
	for path, at := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.SplitAfter(string(data), "\n")
		for _, s := range at {
			lines[s.line-1] = strings.Replace(lines[s.line-1], s.value, s.value+s.latest+"@"+digests[s.ref], 1)
		}
		if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// visit collects image keys, and tags that stand beside a name.
func visit(n *yaml.Node, path string, spots []spot) []spot {
	values := map[string]*yaml.Node{}
	for i, child := range n.Content {
		spots = visit(child, path, spots)
		if n.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.ScalarNode {
			values[n.Content[i-1].Value] = child
		}
	}
	if v := values["image"]; v != nil && strings.Contains(v.Value, "/") && !strings.Contains(v.Value, "@") {
		if host, name, _ := strings.Cut(v.Value, "/"); !strings.Contains(name, ":") {
			return append(spots, spot{path, host + "/" + name + ":latest", v.Value, ":latest", v.Line})
		}
		return append(spots, spot{path, v.Value, v.Value, "", v.Line})
	}
	for _, pair := range [][2]string{{"name", "newTag"}, {"repository", "tag"}} {
		if name, tag := values[pair[0]], values[pair[1]]; name != nil && tag != nil && strings.Contains(name.Value, ":") {
			return append(spots, spot{path, name.Value + ":" + tag.Value, tag.Value, "", tag.Line})
		}
	}
	return spots
}
