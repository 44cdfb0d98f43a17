package plan

// A match pairs an item of an old list with one of a new list. One side is -1 where the item
// has no counterpart.
type match struct{ old, new int }

// maxAligned bounds how many pairs of items one Diff compares to find out what stayed.
const maxAligned = 1 << 24

// align pairs the items of two lists that are the same, in an order that both have: as many
// as there can be. What is left between two pairs is paired in order, as replaced. Lists that
// would cost more comparisons than are left are paired by position.
func align(old, new int, left *int, same func(i, j int) bool) []match {
	var out []match
	head := 0
	for head < old && head < new && same(head, head) {
		out = append(out, match{head, head})
		head++
	}
	tail := 0
	for tail < old-head && tail < new-head && same(old-1-tail, new-1-tail) {
		tail++
	}
	n, m := old-head-tail, new-head-tail
	i, j := 0, 0
	if n > 0 && m > 0 && n <= *left/m {
		*left -= n * m
		// longest[i*(m+1)+j] is how many pairs the items from i and from j on have.
		longest := make([]int32, (n+1)*(m+1))
		for i := n - 1; i >= 0; i-- {
			for j := m - 1; j >= 0; j-- {
				if same(head+i, head+j) {
					longest[i*(m+1)+j] = longest[(i+1)*(m+1)+j+1] + 1
				} else {
					longest[i*(m+1)+j] = max(longest[(i+1)*(m+1)+j], longest[i*(m+1)+j+1])
				}
			}
		}
		fromI, fromJ := 0, 0
		for i < n && j < m {
			switch {
			case same(head+i, head+j):
				out = gap(out, head, fromI, i, fromJ, j)
				out = append(out, match{head + i, head + j})
				i, j = i+1, j+1
				fromI, fromJ = i, j
			case longest[(i+1)*(m+1)+j] >= longest[i*(m+1)+j+1]:
				i++
			default:
				j++
			}
		}
		i, j = fromI, fromJ
	}
	out = gap(out, head, i, n, j, m)
	for k := tail; k > 0; k-- {
		out = append(out, match{old - k, new - k})
	}
	return out
}

// gap pairs the items of two ranges in order.
func gap(out []match, head, i, n, j, m int) []match {
	for i < n || j < m {
		p := match{-1, -1}
		if i < n {
			p.old = head + i
			i++
		}
		if j < m {
			p.new = head + j
			j++
		}
		out = append(out, p)
	}
	return out
}
