package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A few is a JSON list of which at most 1,000 elements are read.
type few[T any] []T

// UnmarshalJSON reads the first elements.
func (f *few[T]) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	switch t, err := d.Token(); {
	case err != nil:
		return err // unreachable: the decoder that calls has checked the text
	case t == nil:
		return nil
	case t != json.Delim('['):
		return errors.New("want a list")
	}
	for d.More() && len(*f) < 1000 {
		var one T
		if err := d.Decode(&one); err != nil {
			return err
		}
		*f = append(*f, one)
	}
	return nil
}

// ofDistribution reads an envelope of events. Blobs are pushed as well, and what is pulled is
// told: only a push with a tag is an image's.
// https://distribution.github.io/distribution/about/notifications/
func ofDistribution(body []byte) ([]string, error) {
	var envelope struct {
		Events few[struct {
			Action string `json:"action"`
			Target struct {
				Repository string `json:"repository"`
				Tag        string `json:"tag"`
			} `json:"target"`
			Request struct {
				Host string `json:"host"`
			} `json:"request"`
		}] `json:"events"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("read a registry's events: %w", err)
	}
	var all []string
	for _, e := range envelope.Events {
		if e.Action == "push" {
			all = append(all, tagged(e.Request.Host, e.Target.Repository, e.Target.Tag))
		}
	}
	return all, nil
}

// ofHarbor reads a webhook in Harbor's own form or as a CloudEvent.
// https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/
func ofHarbor(body []byte) ([]string, error) {
	type data struct {
		Resources few[struct {
			Tag         string `json:"tag"`
			ResourceURL string `json:"resource_url"`
		}] `json:"resources"`
	}
	var hook struct {
		Type      string `json:"type"`
		EventData data   `json:"event_data"`
		Data      data   `json:"data"`
	}
	if err := json.Unmarshal(body, &hook); err != nil {
		return nil, fmt.Errorf("read Harbor's webhook: %w", err)
	}
	resources := hook.EventData.Resources
	switch hook.Type {
	case "PUSH_ARTIFACT":
	case "harbor.artifact.pushed":
		resources = hook.Data.Resources
	default:
		return nil, nil
	}
	var all []string
	for _, r := range resources {
		if r.Tag != "" {
			all = append(all, r.ResourceURL)
		}
	}
	return all, nil
}

// ofDockerHub reads Docker Hub's webhook. Its callback_url is never called.
// https://docs.docker.com/docker-hub/repos/manage/webhooks/
func ofDockerHub(body []byte) ([]string, error) {
	var hook struct {
		PushData struct {
			Tag string `json:"tag"`
		} `json:"push_data"`
		Repository struct {
			RepoName string `json:"repo_name"`
		} `json:"repository"`
	}
	if err := json.Unmarshal(body, &hook); err != nil {
		return nil, fmt.Errorf("read Docker Hub's webhook: %w", err)
	}
	return []string{tagged("docker.io", hook.Repository.RepoName, hook.PushData.Tag)}, nil
}

// ofGeneric reads {"image": "ghcr.io/acme/shop:1.4"}.
func ofGeneric(body []byte) ([]string, error) {
	var notice struct {
		Image string `json:"image"`
	}
	if err := json.Unmarshal(body, &notice); err != nil {
		return nil, fmt.Errorf("read a notification: %w", err)
	}
	if notice.Image == "" {
		return nil, errors.New(`read a notification: it names no "image"`)
	}
	return []string{notice.Image}, nil
}
