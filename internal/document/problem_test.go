package document

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	warning := Problem{File: "a.yaml", Line: 2, Column: 3, Message: "careful", Severity: Warning}
	mistake := Problem{File: "a.yaml", Line: 1, Column: 1, Message: "wrong"}
	if err := (Problems{warning}).Err(); err != nil {
		t.Errorf("Err of a warning = %v, want nil", err)
	}
	if err := (Problems{warning, mistake}).Err(); err == nil || err.Error() != "a.yaml:1:1: wrong" {
		t.Errorf("Err = %v, want the error alone", err)
	}
	several := Problems{warning, {Message: "y"}, {File: "b", Message: "z"}}
	if got, want := several.Err().Error(), "y\nb: z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for want, p := range map[string]Problem{
		"a.yaml:2:3: warning: careful": warning,
		"a.yaml: wrong":                {File: "a.yaml", Message: "wrong"},
		"wrong":                        {Message: "wrong"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestProblemJSON(t *testing.T) {
	got, err := json.Marshal(Problems{
		{File: "a.yaml", Line: 1, Column: 2, Message: "careful", Severity: Warning},
		{File: "b.yaml", Line: 3, Column: 4, Message: "wrong", Snippet: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"file":"a.yaml","line":1,"column":2,"message":"careful","severity":"warning"},` +
		`{"file":"b.yaml","line":3,"column":4,"message":"wrong","severity":"error","snippet":"x"}]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTidy(t *testing.T) {
	var flood Problems
	for i := range 300 {
		flood = append(flood, Problem{File: "a", Line: 300 - i, Column: 1, Message: "x"})
	}
	flood = append(flood, flood[0])
	got := flood.Tidy()
	if len(got) != MaxProblems+1 || !strings.HasPrefix(got[MaxProblems].Message, "and 200 more") || got[MaxProblems].Severity != Error {
		t.Errorf("got %d problems, the last %v", len(got), got[len(got)-1])
	}
	if got[0].Line != 1 {
		t.Errorf("the first is in line %d, want 1", got[0].Line)
	}
}
