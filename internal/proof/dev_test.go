package proof

import "testing"

func TestDevStory(t *testing.T) {
	s := newStory(t)
	for _, step := range steps {
		step.do(s)
		for _, repo := range []string{"config", "line"} {
		for i := 0; i < 5; i++ {
			n := s.Writes()
			p := s.launch("reconcile", nil, "reconcile", "--repo", "acme/"+repo, "--cache", "off")
			<-p.gone
			t.Log(step.name, p.cmd.ProcessState, p.out.String())
			if s.Writes() == n {
				break
			}
		}
		}
		if step.then != nil {
			step.then(s)
		}
	}
	t.Log(s.ending())
}
