package doctor

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

var hookChecks = []Check{
	{
		ID: "webhook.url", Title: "Webhook's address", judge: judgeHookURL,
		About: "Without an address that GitHub reaches nothing is heard, and Pinnace acts at its full looks only.",
	},
	{
		ID: "webhook.format", Title: "Webhook's content type", judge: judgeHookFormat,
		About: "The server reads application/json and refuses forms.",
	},
	{
		ID: "webhook.secret", Title: "Webhook's secret", judge: judgeHookSecret,
		About: "Without a secret anybody could send deliveries, so the server refuses them all.",
	},
	{
		ID: "webhook.deliveries", Title: "Last deliveries", judge: judgeDeliveries,
		About: "Deliveries that fail are asked for again by pinnace serve for three days, after which only the full look helps.",
	},
}

const noHook = "set it in the App's settings under Webhook to the address of pinnace serve, with /webhooks/github; with pinnace reconcile on a timer none is needed"

func hook(f *Facts) (Hook, *Finding) {
	h, no := f.Hook.get()
	if no == nil && h.URL == "" {
		found := skip("the App has no webhook")
		no = &found
	}
	return h, no
}

func judgeHookURL(f *Facts) Finding {
	h, no := f.Hook.first()
	if no != nil {
		return *no
	}
	u, err := url.Parse(h.URL)
	switch {
	case h.URL == "":
		return warn(noHook, "the App has no webhook")
	case err != nil || u.Host == "":
		return problem(noHook, "it is no address: %s", h.URL)
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	switch {
	case host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()):
		return problem(noHook, "%s leads GitHub to itself, not here", h.URL)
	case f.Public && (ip != nil && ip.IsPrivate() || ip == nil && !strings.Contains(host, ".") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal")):
		return problem("give the server an address on the Internet, or forward to it; github.com reaches no private one", "%s is a private address", h.URL)
	case u.Scheme != "https":
		return problem("let the server be reached by https, and write the address so", "%s is not https: whoever is on the way reads what is delivered", h.URL)
	case h.Insecure:
		return problem("turn on SSL verification in the App's settings under Webhook", "GitHub does not verify the certificate of %s", u.Host)
	case !strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/webhooks/github"):
		return warn("if nothing in front of the server rewrites it, write "+u.Scheme+"://"+u.Host+"/webhooks/github", "the path of %s is not the server's own, /webhooks/github", h.URL)
	}
	return ok("%s", h.URL)
}

func judgeHookFormat(f *Facts) Finding {
	h, no := hook(f)
	if no != nil {
		return *no
	}
	if h.ContentType != "json" {
		return problem("choose application/json in the App's settings under Webhook", "it is %s", h.ContentType)
	}
	return ok("application/json")
}

func judgeHookSecret(f *Facts) Finding {
	h, no := hook(f)
	if no != nil {
		return *no
	}
	if !h.HasSecret {
		return problem("set one in the App's settings under Webhook (openssl rand -hex 32 makes one), and give the server the same with --webhook-secret-file", "none is set")
	}
	return ok("one is set; GitHub does not show which")
}

func judgeDeliveries(f *Facts) Finding {
	if _, no := hook(f); no != nil {
		return *no
	}
	all, no := f.Deliveries.first()
	if no != nil {
		return *no
	}
	if len(all) == 0 {
		return warn("push to a repository of the App and look again; if nothing comes, see whether the webhook is active in the App's settings", "GitHub delivered nothing in three days")
	}
	arrived := map[string]bool{}
	for _, d := range all {
		arrived[d.GUID] = arrived[d.GUID] || d.OK
	}
	lost := 0
	for _, ok := range arrived {
		if !ok {
			lost++
		}
	}
	last := all[0]
	age := f.Now.Sub(last.At).Round(time.Minute)
	when := fmt.Sprintf("the last one, %s ago,", strings.TrimSuffix(age.String(), "0s"))
	if age < time.Minute {
		when = "the last one, less than a minute ago,"
	}
	switch {
	case !last.OK && !arrived[last.GUID]:
		what := "was not answered"
		if last.Status != 0 {
			what = fmt.Sprintf("was answered with %d", last.Status)
		}
		fix := "see that the server runs and that its address leads to it; what it says of the delivery is in the App's settings under Advanced"
		if last.Status == 401 || last.Status == 403 {
			fix = "give the server the secret that the webhook has, with --webhook-secret-file"
		}
		return problem(fix, "%s %s; %d of %d did not arrive", when, what, lost, len(arrived))
	case lost > 0:
		return warn("let pinnace serve run, which asks for them again; the rest comes at the next full look", "%s arrived; %d of %d did not", when, lost, len(arrived))
	}
	return ok("%s arrived, as did all %d", when, len(arrived))
}
