package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// openPage is xdg-open in the scripts: a person who reads the page that pinnace setup opens,
// presses its button, and lets GitHub send the browser back. $BROWSER_LOG gets the pages as
// text.
func openPage() {
	if err := walkPage(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]+)">`)
	formValue  = regexp.MustCompile(`<input type="hidden" name="manifest" value="([^"]*)">`)
	styleBlock = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
)

func walkPage(address string) error {
	page, err := textOf(http.Get(address))
	if err != nil {
		return err
	}
	action, manifest := formAction.FindStringSubmatch(page), formValue.FindStringSubmatch(page)
	if action == nil || manifest == nil {
		return errors.New("the page has no form:\n" + page)
	}
	back, err := textOf(http.PostForm(html.UnescapeString(action[1]), url.Values{"manifest": {html.UnescapeString(manifest[1])}}))
	if name := os.Getenv("BROWSER_LOG"); name != "" {
		e := os.WriteFile(name+".part", []byte(words(page)+"\n"+words(back)), 0o600)
		if e == nil {
			e = os.Rename(name+".part", name)
		}
		if err == nil {
			err = e
		}
	}
	return err
}

func textOf(resp *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return string(text), err
}

// words are what a person reads.
func words(page string) string {
	var b strings.Builder
	for line := range strings.Lines(html.UnescapeString(styleBlock.ReplaceAllString(page, " "))) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
