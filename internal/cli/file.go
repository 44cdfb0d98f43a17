package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// file writes the wishes as a comment of the request issue, for the App that the configuration
// names to act on, and prints what the App answers.
func (f *askFlags) file(cmd *cobra.Command, j *verdict.Judge, wishes []verdict.Wish) error {
	ctx := cmd.Context()
	out := report.Filed{Repository: j.Owner + "/" + j.Name}
	for _, w := range wishes {
		out.Commands = append(out.Commands, w.Command().String())
	}
	comment, issue, err := j.File(ctx, strings.Join(out.Commands, "\n"))
	if err != nil {
		return err
	}
	out.Issue, out.Comment, out.URL = issue.Number, comment.ID, comment.URL
	if f.output == "text" {
		out.Text(cmd.OutOrStdout())
	}
	if f.wait > 0 && isTerminal(cmd.ErrOrStderr()) {
		fmt.Fprintf(cmd.ErrOrStderr(), "waiting up to %s for the answer; Ctrl-C leaves the request filed\n", f.wait)
	}
	reply, err := f.reply(ctx, j, comment)
	if err == nil && reply != nil {
		out.Answered, out.Refused, out.Answer = true, reply.Refused, reply.Text
		for _, q := range reply.Pulls {
			out.PullRequests = append(out.PullRequests, report.FiledPullRequest{Number: q.Number, Title: q.Title, URL: q.URL, Action: q.Action})
		}
	}
	if f.output == "json" {
		if err := out.JSON(cmd.OutOrStdout()); err != nil {
			return err
		}
	} else if out.Answered {
		out.AnswerText(cmd.OutOrStdout())
	}
	switch {
	case err != nil:
		return fmt.Errorf("the request is filed in #%d; wait for the answer: %w", issue.Number, err)
	case ctx.Err() != nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "pinnace: interrupted: the request stays filed in #%d, where the App answers\n", issue.Number)
		return exit(exitError)
	case out.Refused:
		return exit(exitFindings)
	case !out.Answered && f.wait > 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "pinnace: no answer within %s: the App answers in #%d at its next run (pinnace reconcile)\n", f.wait, issue.Number)
		return exit(exitFindings)
	}
	return nil
}

// pollEvery is how often GitHub is asked for an answer.
const pollEvery = 2 * time.Second

// reply waits for the App's answer to a comment: nil where there is none in time, or where
// nobody waits any more.
func (f *askFlags) reply(ctx context.Context, j *verdict.Judge, to promotion.Comment) (*verdict.Reply, error) {
	if f.wait == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		r, ok, err := j.Reply(ctx, to)
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case err != nil && !errors.Is(err, promotion.ErrTransient) && !errors.Is(err, promotion.ErrRateLimited):
			return nil, err
		case err == nil && ok:
			return &r, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-tick.C:
		}
	}
}
