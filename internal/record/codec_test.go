package record

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestRoundTrip(t *testing.T) {
	r := full()
	line := r.Line()
	if strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(line, "<!-- pinnace-record:1 ") || strings.Count(line, "-->") != 1 || !strings.HasSuffix(line, " -->") {
		t.Errorf("got %q, want one HTML comment of one line", line)
	}
	if again := full().Line(); again != line {
		t.Errorf("the same record is\n%s\nand\n%s", line, again)
	}
	for name, text := range map[string]string{
		"alone":            line,
		"at the end":       "# Verdict\n\nwaiting\n\n" + line + "\n",
		"carriage returns": "waiting\r\n" + line + "\r\n",
		"the last":         Record{Kind: promotion.Pin}.Line() + "\n" + line,
		"one quoted":       line + "\n> <!-- pinnace-record:1 x -->\n <!-- pinnace-record:1 x -->",
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := Parse(text)
			if diff := cmp.Diff(r, got); diff != "" || !ok || err != nil {
				t.Errorf("ok = %v, error %v, (-want +got):\n%s", ok, err, diff)
			}
		})
	}
}

func TestTimesAreOfOneZone(t *testing.T) {
	here := time.FixedZone("CET", 3600)
	r := Record{Kind: promotion.Pin, Heads: []Head{{SHA: sha(1), Seal: seal("a"), At: noon.In(here)}}}
	if got, want := r.Line(), (Record{Kind: promotion.Pin, Heads: []Head{{SHA: sha(1), Seal: seal("a"), At: noon}}}).Line(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	r.Heads[0].At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	got, ok, err := Parse(r.Line())
	if !ok || err != nil || !got.Heads[0].At.IsZero() {
		t.Errorf("a year that JSON does not take is read as %+v, error %v, want none", got, err)
	}
}

func TestNoRecord(t *testing.T) {
	for _, text := range []string{"", "waiting for carol", "see <!-- pinnace-record:1 x -->", "<!-- pinnace:v1 {} -->", "\n <!-- pinnace-record:1 x -->"} {
		if got, ok, err := Parse(text); ok || err != nil {
			t.Errorf("%q is %+v, error %v, want no record", text, got, err)
		}
	}
}

// packed is a line that holds any text.
func packed(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	b.Write(checksum([]byte(text)))
	return lineStart + "1 " + encoding.EncodeToString(b.Bytes()) + lineEnd
}

// with is full, but for one value of its JSON.
func with(old, text string) string {
	line, _ := json.Marshal(full())
	if !strings.Contains(string(line), old) {
		panic("nothing to replace: " + old)
	}
	return packed(strings.Replace(string(line), old, text, 1))
}

func many(n int, entry string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(strings.ReplaceAll(entry, "%", fmt.Sprint(i+1)))
	}
	return b.String()
}

func TestDamage(t *testing.T) {
	line := full().Line()
	data := strings.TrimSuffix(strings.TrimPrefix(line, lineStart+"1 "), lineEnd)
	for name, tc := range map[string]struct{ text, want string }{
		"a later version":      {strings.Replace(line, ":1 ", ":2 ", 1), "version 2"},
		"no version":           {strings.Replace(line, ":1 ", ": ", 1), "its version is damaged"},
		"a word for a version": {strings.Replace(line, ":1 ", ":one ", 1), "its version is damaged"},
		"nothing":              {"<!-- pinnace-record:", "its version is damaged"},
		"only a version":       {"<!-- pinnace-record:1", "its end is missing"},
		"no data":              {"<!-- pinnace-record:1 -->", "its end is missing"},
		"empty data":           {"<!-- pinnace-record:1  -->", "EOF"},
		"cut":                  {line[:len(line)/2], "its end is missing"},
		"cut inside":           {line[:len(line)/2] + lineEnd, ""},
		"broken":               {line[:100] + "\r" + line[100:], "broken into lines"},
		"another letter":       {strings.Replace(line, data[50:51], "!", 1), "illegal base64"},
		"padded":               {lineStart + "1 " + data + "=" + lineEnd, "illegal base64"},
		"an older one is fine": {line + "\n" + lineStart + "1 x" + lineEnd, "illegal base64"},
		"something behind":     {lineStart + "1 " + data + "AAAA" + lineEnd, "checksum"},
		"no JSON":              {packed("hello"), "invalid character"},
		"JSON behind":          {packed(`{"kind":"pin"}{}`), "something follows it"},
		"a list":               {packed("[]"), "cannot unmarshal"},
		"null":                 {packed("null"), `"" is no kind`},
		"a later field":        {with(`"base"`, `"later":1,"base"`), `unknown field "later"`},
		"a kind":               {with(`"kind":"promotion"`, `"kind":"gift"`), `"gift" is no kind`},
		"a kind of request":    {with(`"kind":"promotion","app"`, `"kind":"gift","app"`), `"gift" is no kind of a request`},
		"a head":               {with(sha(1), "main"), `head "main" is no commit`},
		"capitals":             {with(sha(2), strings.Repeat("A", 40)), "is no commit"},
		"a long head":          {with(sha(2), sha(2)+"0"), "is no commit"},
		"a seal":               {with(seal("a"), "aa"), `"aa" of head`},
		"the next head":        {with(sha(9), "next"), `next head "next"`},
		"a digest":             {with("sha256:"+seal("e"), "sha256:e"), "digest has 1 digits"},
		"a status":             {with(`"waiting"`, `"perfect"`), `"perfect" is no status`},
		"a review":             {with(`"id":11`, `"id":0`), "0 is no review"},
		"a review twice":       {with(`"id":11`, `"id":12`), "review 12 is there twice"},
		"the commit of one":    {with(`"commit":"`+sha(1), `"commit":"x`), `"x" of review 11`},
		"the state of one":     {with(`"APPROVED"`, `"DISMISSED"`), `review 11 was submitted as "DISMISSED"`},
		"the standing of one":  {with(`"yes"`, `"maybe"`), "standing of review 11"},
		"a negative number":    {with(`"pullRequest":14`, `"pullRequest":-14`), "negative"},
		"a time":               {with("2026-11-20", "2026-31-20"), "parsing time"},
		"1,001 heads":          {packed(`{"kind":"pin","heads":[` + many(1001, `{}`) + `]}`), "1001 heads, more than 1000"},
		"5,001 reviews":        {packed(`{"kind":"pin","reviews":[` + many(5001, `{"id":%}`) + `]}`), "5001 reviews, more than 5000"},
		"201 images":           {packed(`{"kind":"pin","request":{"images":[` + many(201, `{}`) + `]}}`), "201 images, more than 200"},
		"501 requesters":       {packed(`{"kind":"pin","request":{"by":[` + many(501, `{"id":%}`) + `]}}`), "501 requesters, more than 500"},
		"201 skipped":          {packed(`{"kind":"pin","request":{"skipped":[` + many(201, `"e%"`) + `]}}`), "201 skipped environments"},
		"a bomb":               {packed(`{"kind":"pin","base":"` + strings.Repeat("a", 20<<20) + `"}`), "more than 1048576 bytes"},
		"a long line":          {lineStart + "1 " + strings.Repeat("A", 1<<20+1) + lineEnd, "more than 1048576"},
		"a deep value":         {packed(`{"heads":` + strings.Repeat("[", 500_000)), "max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := Parse(tc.text)
			if err == nil || ok || !strings.Contains(err.Error(), tc.want) || len(err.Error()) > 300 {
				t.Fatalf("got ok = %v, error %v, want one that holds %q", ok, err, tc.want)
			}
			if diff := cmp.Diff(Record{}, got); diff != "" {
				t.Errorf("a record comes with the error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryByte(t *testing.T) {
	line := full().Line()
	for i := len(lineStart); i < len(line); i++ {
		for _, b := range []byte("A_z! ") {
			if line[i] == b {
				continue
			}
			if got, ok, err := Parse(line[:i] + string(b) + line[i+1:]); ok || err == nil {
				t.Errorf("byte %d as %q is read as %+v, want an error", i, b, got)
			}
		}
	}
}

// TestLongLine shows what is forgotten so that a check run's text has room for the line.
func TestLongLine(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	hex := func(digits int) string {
		b := make([]byte, digits)
		for i := range b {
			b[i] = "0123456789abcdef"[random.Intn(16)]
		}
		return string(b)
	}
	r := full()
	for i := range 1000 {
		r.See(hex(40), hex(64), minute(i))
	}
	var reviews []promotion.Review
	for i := range 3000 {
		who := promotion.Identity{ID: random.Int63(), Login: hex(39)}
		reviews = append(reviews, promotion.Review{ID: random.Int63(), Author: who, State: promotion.Approved, Commit: r.Heads[i%200].SHA, Submitted: minute(1000 + i)})
	}
	r.Witness(reviews)
	if len(r.Heads) != 200 || len(r.Reviews) != 500 {
		t.Fatalf("got %d heads and %d reviews, want 200 and 500", len(r.Heads), len(r.Reviews))
	}
	line := r.Line()
	got, ok, err := Parse(line)
	if !ok || err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes for %d heads and %d reviews, %d for all", len(line), len(got.Heads), len(got.Reviews), len(r.line()))
	if len(line) >= MaxLine || len(got.Heads) < 20 || len(got.Reviews) < 20 {
		t.Errorf("got %d bytes for %d heads and %d reviews, want fewer than %d bytes", len(line), len(got.Heads), len(got.Reviews), MaxLine)
	}
	if got.Reviews[0].HadStanding != "yes" || got.Heads[len(got.Heads)-1] != r.Heads[199] {
		t.Errorf("it forgot the review of carol, who had standing, or the newest head")
	}
	if diff := cmp.Diff(r.Request, got.Request); diff != "" {
		t.Errorf("it forgot something of the request (-want +got):\n%s", diff)
	}

	r.Request.By = nil
	for range 500 {
		r.Request.By = append(r.Request.By, promotion.Identity{ID: random.Int63(), Login: hex(100)})
	}
	line = r.Line()
	got, ok, err = Parse(line)
	if !ok || err != nil || len(line) < MaxLine || len(got.Request.By) != 500 || len(got.Heads) < 10 || len(got.Reviews) < 10 {
		t.Errorf("got %d bytes for %d requesters, %d heads and %d reviews, error %v, want all requesters", len(line), len(got.Request.By), len(got.Heads), len(got.Reviews), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(full().Line())
	f.Add("text\n" + Record{Kind: promotion.ByHand}.Line() + "\n")
	f.Add(packed(`{"kind":"pin","heads":null,"reviews":[{"id":1,"submitted":"9999-12-31T23:59:59-23:00"}]}`))
	f.Add(`{"kind":"update","request":{"images":[],"by":[{}]},"base":"` + "\xff" + `"}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, text := range []string{text, packed(text)} {
			r, ok, err := Parse(text)
			if ok == (err != nil) && (ok || strings.Contains(text, "\n"+lineStart)) {
				t.Fatalf("ok = %v with error %v", ok, err)
			}
			if !ok {
				continue
			}
			again, ok, err := Parse(r.Line())
			if len(r.line()) < MaxLine && (!ok || !cmp.Equal(r, again, cmpopts.EquateEmpty())) {
				t.Fatalf("error %v, (-want +got):\n%s", err, cmp.Diff(r, again))
			}
			r.See(sha(1), seal("a"), noon)
			r.Witness([]promotion.Review{says(1, carol, promotion.Approved, 1, 1)})
			if _, ok, err := Parse(r.Line()); !ok {
				t.Fatalf("after one more head and review: %v", err)
			}
		}
	})
}
