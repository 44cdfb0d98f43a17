package promotion

import "strconv"

// An Identity is an account. The number is the account; the login may move to another one.
type Identity struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Bot   bool   `json:"bot,omitempty"`
}

// String returns login#id, the form that roles are written in.
func (i Identity) String() string {
	if i.ID == 0 {
		return i.Login
	}
	return i.Login + "#" + strconv.FormatInt(i.ID, 10)
}

// A Self is the App that a client acts for.
type Self struct {
	App  int64
	Slug string   // its name in addresses
	Bot  Identity // the account that it acts as
}

// A Permission is what an account may do in a repository, in rising order.
type Permission string

// The permissions of https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user.
const (
	PermissionNone     Permission = "none"
	PermissionRead     Permission = "read"
	PermissionTriage   Permission = "triage"
	PermissionWrite    Permission = "write"
	PermissionMaintain Permission = "maintain"
	PermissionAdmin    Permission = "admin"
)

var ranks = map[Permission]int{PermissionRead: 1, PermissionTriage: 2, PermissionWrite: 3, PermissionMaintain: 4, PermissionAdmin: 5}

// AtLeast says whether p reaches floor. An unknown permission reaches none.
func (p Permission) AtLeast(floor Permission) bool {
	return floor == PermissionNone || ranks[floor] > 0 && ranks[p] >= ranks[floor]
}
