package message

import (
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// person names an account in Markdown, where it is not notified.
func person(i promotion.Identity) string { return code(i.String(), 80) }

// people names at most five accounts.
func people(all []promotion.Identity) string { return some(all, 5, person) }

// signature is login#id for a commit message. A number in it refers to an issue only where
// it follows what is no letter and no digit, and the ends of logins that are no login's are
// left out; "" names nobody.
func signature(i promotion.Identity) string {
	login, bot := strings.CutSuffix(i.Login, "[bot]")
	var b strings.Builder
	for _, r := range login {
		if r > '~' || !wordly(r) && r != '-' && r != '_' {
			r = '?'
		}
		b.WriteRune(r)
	}
	login = strings.Trim(plain(b.String(), 60), "?…")
	switch {
	case login == "" && i.ID == 0:
		return ""
	case login == "":
		login = "user"
	case bot:
		login += "[bot]"
	}
	if i.ID == 0 {
		return login
	}
	return login + "#" + strconv.FormatInt(i.ID, 10)
}
