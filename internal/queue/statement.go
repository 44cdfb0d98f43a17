package queue

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// A statement is built of text and arguments.
type statement struct {
	b    strings.Builder
	args []any
}

func (s *statement) text(t string) { s.b.WriteString(t) }

// arg writes the placeholder of a value. An integer's says that it is one: PostgreSQL takes a
// bare placeholder in VALUES for text.
func (s *statement) arg(v any) {
	s.args = append(s.args, v)
	p := "$" + strconv.Itoa(len(s.args))
	switch v.(type) {
	case int64, int:
		p = "CAST(" + p + " AS BIGINT)"
	}
	s.b.WriteString(p)
}

// row writes the i-th row of VALUES.
func (s *statement) row(i int, values ...any) {
	if i > 0 {
		s.text(", ")
	}
	s.text("(")
	for j, v := range values {
		if j > 0 {
			s.text(", ")
		}
		s.arg(v)
	}
	s.text(")")
}

// each runs the statement, and f with each row that it returns.
func (s *statement) each(ctx context.Context, tx *sql.Tx, f func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, s.b.String(), s.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
