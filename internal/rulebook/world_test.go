package rulebook

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestWorldOf: each name has its place in the configuration, and what is not written has
// none. An app that was found gives way to one of its name that is configured.
func TestWorldOf(t *testing.T) {
	const file = ".pinnace/config.yaml"
	c, problems := config.Parse(file, []byte(`apiVersion: pinnace.dev/v1alpha1
kind: Config
environments:
  - {name: dev, paths: [dev/**]}
  - name: prod
    production: true
    paths: [prod/**]
    after: [dev]
apps:
  - {name: shop, images: [ghcr.io/acme/shop, nginx], source: acme/shop}
roles:
  promoter: {users: ["carol#3"], teams: [acme/release]}
  overrides:
    - environment: prod
      app: shop
      deployer: {permission: maintain}
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	shop := policy.App{Name: "shop", Images: []string{"ghcr.io/acme/shop", "docker.io/library/nginx"}, Source: "acme/shop", File: file, Line: 10}
	redis := policy.App{Name: "redis", Images: []string{"docker.io/library/redis"}}
	want := policy.World{
		Environments: []policy.Env{
			{Name: "dev", Paths: []string{"dev/**"}, File: file, Line: 4},
			{Name: "prod", Production: true, Paths: []string{"prod/**"}, After: []string{"dev"}, File: file, Line: 5},
		},
		Apps: []policy.App{shop, redis},
		Grants: []policy.Grant{
			{Role: policy.Requester, Permission: promotion.PermissionWrite, File: file},
			{Role: policy.Promoter, Permission: promotion.PermissionWrite, Teams: []string{"acme/release"}, Users: []string{"carol#3"}, File: file, Line: 12},
			{Role: policy.Deployer, Permission: promotion.PermissionWrite, File: file},
			{Role: policy.Admin, Permission: promotion.PermissionAdmin, File: file},
			{Role: policy.Deployer, Env: "prod", App: "shop", Permission: promotion.PermissionMaintain, File: file, Line: 16},
		},
	}
	got := WorldOf(c, policy.App{Name: "shop", Images: []string{"quay.io/other/shop"}}, redis)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(policy.World{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
