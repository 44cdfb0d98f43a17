package sandbox

import (
	"cmp"
	"slices"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// collaboratorList lists who has a permission in a repository, owners of the organisation and
// members of teams included
// (https://docs.github.com/en/rest/collaborators/collaborators#list-repository-collaborators).
func collaboratorList(c *call) (any, error) {
	if c.by.install == nil && !c.repo.role(c.by.who).AtLeast(promotion.PermissionWrite) {
		return nil, refuse(403, "Must have push access to view repository collaborators.")
	}
	floor := map[string]promotion.Permission{
		"": promotion.PermissionRead, "pull": promotion.PermissionRead, "triage": promotion.PermissionTriage, "push": promotion.PermissionWrite,
		"maintain": promotion.PermissionMaintain, "admin": promotion.PermissionAdmin,
	}[c.query("permission")]
	var list []*account
	for _, a := range c.s.people {
		if a.kind != "Organization" && !a.Bot && c.repo.role(a).AtLeast(cmp.Or(floor, promotion.PermissionRead)) && c.repo.role(a) != promotion.PermissionRead {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(x, y *account) int { return cmp.Compare(x.ID, y.ID) })
	return page(c, list, func(a *account) any {
		role := c.repo.role(a)
		user := c.s.renderUser(a).(fields)
		user["role_name"] = role
		user["permissions"] = fields{
			"admin": role.AtLeast(promotion.PermissionAdmin), "maintain": role.AtLeast(promotion.PermissionMaintain), "push": role.AtLeast(promotion.PermissionWrite),
			"triage": role.AtLeast(promotion.PermissionTriage), "pull": role.AtLeast(promotion.PermissionRead),
		}
		return user
	}), nil
}
