package git

// deltaSizes returns the sizes of base and result that a delta begins with, and the rest
// of it (https://git-scm.com/docs/gitformat-pack#_deltified_representation).
func deltaSizes(delta []byte) (base, result int64, rest []byte, err error) {
	if base, delta, err = deltaSize(delta); err != nil {
		return 0, 0, nil, err
	}
	if result, delta, err = deltaSize(delta); err != nil {
		return 0, 0, nil, err
	}
	return base, result, delta, nil
}

func deltaSize(d []byte) (int64, []byte, error) {
	var n int64
	for i, c := range d {
		if i > 8 {
			break
		}
		n |= int64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return n, d[i+1:], nil
		}
	}
	return 0, nil, corrupt("a delta's size cannot be read")
}

// applyDelta returns the object that delta makes of base, of at most limit bytes.
func applyDelta(base, delta []byte, limit int64) ([]byte, error) {
	from, size, d, err := deltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if from != int64(len(base)) {
		return nil, corrupt("a delta is for a base of another size")
	}
	if size > limit {
		return nil, tooLarge(size, limit)
	}
	out := make([]byte, 0, min(size, 1<<20))
	for len(d) > 0 {
		op := d[0]
		d = d[1:]
		switch {
		case op == 0:
			return nil, corrupt("a delta has a reserved instruction")
		case op&0x80 == 0:
			n := int(op)
			if n > len(d) || int64(len(out)+n) > size {
				return nil, corrupt("a delta inserts too much")
			}
			out = append(out, d[:n]...)
			d = d[n:]
		default:
			var off, n int64
			for i := range 7 {
				if op&(1<<i) == 0 {
					continue
				}
				if len(d) == 0 {
					return nil, corrupt("a delta ends within an instruction")
				}
				if i < 4 {
					off |= int64(d[0]) << (8 * i)
				} else {
					n |= int64(d[0]) << (8 * (i - 4))
				}
				d = d[1:]
			}
			if n == 0 {
				n = 0x10000
			}
			if off+n > int64(len(base)) || int64(len(out))+n > size {
				return nil, corrupt("a delta copies from outside its base")
			}
			out = append(out, base[off:off+n]...)
		}
	}
	if int64(len(out)) != size {
		return nil, corrupt("a delta's result has another size than it claims")
	}
	return out, nil
}
