package document

import (
	"fmt"
	"strconv"
	"strings"
)

// A User is a GitHub login, and the account's id where the author gave one.
type User struct {
	Login string
	ID    int64 // 0: not given
}

// String spells login or login#id.
func (u User) String() string {
	if u.ID == 0 {
		return u.Login
	}
	return u.Login + "#" + strconv.FormatInt(u.ID, 10)
}

// MarshalText spells login or login#id.
func (u User) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads login or login#id.
func (u *User) UnmarshalText(text []byte) error {
	if err := CheckUser(string(text)); err != nil {
		return err
	}
	login, id, _ := strings.Cut(string(text), "#")
	u.Login, u.ID = login, 0
	if id != "" {
		u.ID, _ = strconv.ParseInt(id, 10, 64) // CheckUser parsed it
	}
	return nil
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// IsLogin reports whether s can be the login of a person, an organisation or an App's bot.
func IsLogin(s string) bool {
	name := strings.TrimSuffix(s, "[bot]")
	return name != "" && len(name) <= 100 && strings.Trim(name, nameCharacters) == "" && name[0] != '-'
}

// CheckUser holds a text to login or login#id.
func CheckUser(s string) error {
	login, id, numbered := strings.Cut(s, "#")
	if strings.HasPrefix(s, "@") {
		return fmt.Errorf("%s begins with @: write %s", Quote(s), Quote(s[1:]))
	}
	if strings.Contains(login, "/") {
		return fmt.Errorf("%s is a team: list it under teams", Quote(s))
	}
	if !IsLogin(login) {
		return fmt.Errorf("%s is not a GitHub login: expected login or login#id, such as carol#583231", Quote(s))
	}
	if numbered {
		if n, err := strconv.ParseInt(id, 10, 64); err != nil || n <= 0 || id[0] == '+' {
			return fmt.Errorf("%s has an id that is not a number: expected login#id, such as carol#583231 (`gh api users/LOGIN --jq .id` prints it)", Quote(s))
		}
	}
	return nil
}

// CheckTeam holds a text to organisation/slug.
func CheckTeam(s string) error {
	org, slug, ok := strings.Cut(s, "/")
	if strings.HasPrefix(s, "@") {
		return fmt.Errorf("%s begins with @: write %s", Quote(s), Quote(s[1:]))
	}
	if !ok {
		return fmt.Errorf("%s is not a team: expected organisation/slug, such as acme/release", Quote(s))
	}
	if !IsLogin(org) || slug == "" || strings.Trim(slug, nameCharacters+".") != "" {
		return fmt.Errorf("%s is not a team: expected organisation/slug, with the slug from the team's address, such as acme/release", Quote(s))
	}
	return nil
}
