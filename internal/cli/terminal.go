package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth returns how many columns a terminal has; 80 where it does not say.
func terminalWidth(w any) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// showProgress writes a line to a terminal while work takes more than a second, and
// nothing anywhere else. The function that it returns takes the line away.
func showProgress(ctx context.Context, w io.Writer, p *reconcile.Progress) func() {
	if !isTerminal(w) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionSpinnerType(14),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish())
		defer func() { _ = bar.Finish() }()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			line := fmt.Sprintf("%d files read, %d of %d images resolved", p.Files.Load(), p.Answered.Load(), p.Asked.Load())
			if width := terminalWidth(w); len(line) > width-8 {
				line = line[:max(0, width-8)]
			}
			bar.Describe(line)
			_ = bar.Add(1)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}
