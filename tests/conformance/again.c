/* The same plan once more: its samples at other places, its iterations side by side, with less and less memory. */
#include "conform.h"
#include <stdlib.h>

static void swap_halves(double *v, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		double w = v[i];

		v[i] = v[n / 2 + i];
		v[n / 2 + i] = w;
	}
}

/* Two samples that change places: so do their results, to the bit. */
static void places(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e)
{
	double *y[2];
	int rc = INN_OK;

	for (int pass = 0; pass < 2; pass++) {
		y[pass] = calloc(q->n_y + 1, sizeof(*y[pass]));
		for (uint32_t k = 0; pass && k < s->n_in; k++)
			swap_halves(q->x[k], q->n_x[k]);
		if (rc == INN_OK && y[pass] && (rc = feed(t->be, e, q)) == INN_OK && (rc = t->be->run(q->ctx, e)) == INN_OK)
			rc = fetch(t->be, e, q, "y", y[pass]);
	}
	for (uint32_t k = 0; k < s->n_in; k++)
		swap_halves(q->x[k], q->n_x[k]);
	if (rc < 0 || !y[0] || !y[1]) {
		fails(t, s, "%s", first_error(q->ctx));
	} else {
		swap_halves(y[1], q->n_y);
		compare(t, s, "samples that changed places", y[1], y[0], q->n_y, 0);
	}
	free(y[0]);
	free(y[1]);
}

/* The same plan with iterations side by side, against the reference that runs it one by one; and twice the same bits. */
static void side_by_side(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *r)
{
	double *y = calloc(q->n_y + 1, sizeof(*y)), *z = calloc(q->n_y + 1, sizeof(*z)), *again = calloc(q->n_y + 1, sizeof(*again));
	struct plan_of wide = *q;
	inn_exec *e = NULL;
	int rc = inn__widen(q->ctx, q->p, 8, &wide.p);

	if (rc < 0 || !y || !z || !again || (wide.p ? wide.p->k : 1) != s->side)
		fails(t, s, "%u iterations side by side: %s", rc < 0 ? 0 : wide.p ? wide.p->k : 1, first_error(q->ctx));
	else if (wide.p) {
		rc = t->be->compile(q->ctx, t->dev, wide.p, 0, &e);
		for (int pass = 0; pass < 2 && rc == INN_OK; pass++)
			if ((rc = feed(t->be, e, &wide)) == INN_OK && (rc = t->be->run(q->ctx, e)) == INN_OK)
				rc = fetch(t->be, e, &wide, "y", pass ? again : y);
		if (rc < 0 || feed(t->ref, r, q) < 0 || t->ref->run(q->ctx, r) < 0 || fetch(t->ref, r, q, "y", z) < 0)
			fails(t, s, "%s", first_error(q->ctx));
		compare(t, s, "side by side, against one by one", y, z, q->n_y, t->tol);
		compare(t, s, "side by side, again", again, y, q->n_y, 0);
	}
	t->be->release(e);
	inn__plan_free(wide.p);
	free(y);
	free(z);
	free(again);
}

/* What a backend gives up for less memory does not change what comes out, until it says that there is too little. */
static void with_less_memory(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *r)
{
	double *y = calloc(q->n_y + 1, sizeof(*y)), *z = calloc(q->n_y + 1, sizeof(*z));
	uint64_t limit = 16 << 20;
	int rc = y && z ? INN_OK : INN_ENOMEM;
	bool known = false; /* what the reference makes of it, in z */

	for (; rc == INN_OK && limit > 1024; limit -= limit / 8) {
		inn_exec *e = NULL;

		if ((rc = t->be->compile(q->ctx, t->dev, q->p, limit, &e)) == INN_OK && !known)
			known = both(t, s, q, e, r, "y", y, z);
		else if (rc == INN_OK && (rc = feed(t->be, e, q)) == INN_OK && (rc = t->be->run(q->ctx, e)) == INN_OK)
			rc = fetch(t->be, e, q, "y", y);
		if (rc == INN_OK && known)
			compare(t, s, "with less memory", y, z, q->n_y, t->tol);
		t->be->release(e);
	}
	if (rc == INN_ELIMIT)
		t->passed++;
	else
		fails(t, s, "with %llu bytes: %s", (unsigned long long)limit, first_error(q->ctx));
	free(y);
	free(z);
}

void conform_again(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e, inn_exec *r)
{
	if (s->alone)
		places(t, s, q, e);
	if (s->side && (t->be->rows || t->be == t->ref))
		side_by_side(t, s, q, r);
	if (s->less)
		with_less_memory(t, s, q, r);
}
