/* Conformance of a backend: small plans made through the builder, run, and compared. */
#ifndef CONFORM_H
#define CONFORM_H
#include "../../core/base/ctx.h"
#include "../../core/load/load.h"
#include "../../core/plan/plan.h"

#define MAX_IN 3

struct bench {
	const struct inn_backend_ops *be, *ref;
	inn_dev *dev, *ref64; /* under test, and the reference in f64 */
	struct inn__registry *plugins;
	double tol;           /* NMSE against ref64 */
	uint32_t passed, failed;
	char **only;          /* names, NULL at the end; NULL: all */
};

struct plan_of { /* one spec, recorded */
	inn_ctx *ctx;
	inn_build *b;
	struct inn_plan *p;
	double *x[MAX_IN], *seed;
	size_t n_x[MAX_IN], n_y;
};

enum fill { SMOOTH, POSITIVE, COARSE /* multiples of 1/2, many of them 0 */, INDEX3 /* 0, 1, 2 */ };

struct spec { /* one operation, or a few, of inputs of fixed shapes */
	const char *name;
	inn_val (*make)(inn_build *b, const inn_val *x, const struct spec *s);
	void (*oracle)(const struct spec *s, const double *const *x, double *y); /* or NULL: only backends are compared */
	uint32_t n_in;
	struct inn_shape in[MAX_IN], out; /* out is filled in */
	int fill[MAX_IN];
	struct inn_window w;
	uint32_t a[3 * INN_MAX_RANK]; /* what make and oracle want to know */
	uint32_t grads;       /* mask of inputs whose derivative is checked */
	uint32_t batch;       /* 0: 1 */
	bool fast;            /* the plan is not strict: backends take their fast algorithms */
	bool alone;           /* there are two samples, and neither sees the other */
	bool less;            /* it is run with less and less memory too */
	double each;          /* > 0: zeros are exact, and every other element is held to this relative error */
	uint32_t side;        /* how many iterations run side by side in 8 rows, 1: none; 0: not looked at */
	void *user;           /* for make and oracle */
	void (*done)(void *user); /* or NULL: called when the plan is gone */
};

/* Whether cases of this name are to run; where "?" is among those that are, says it. */
bool conform_wants(const struct bench *t, const char *name);
/* Runs y and, for each bit of s->grads, the derivative. Prints what fails. */
void conform(struct bench *t, const struct spec *s);
void fails(struct bench *t, const struct spec *s, const char *fmt, ...) INN_PRINTF(3, 4);

const char *first_error(inn_ctx *ctx);
void compare(struct bench *t, const struct spec *s, const char *what, const double *a, const double *b, size_t n, double tol);
int feed(const struct inn_backend_ops *be, inn_exec *e, struct plan_of *q);
int fetch(const struct inn_backend_ops *be, inn_exec *e, struct plan_of *q, const char *name, double *y);
/* Runs one output of the plan on both devices. */
bool both(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e, inn_exec *r, const char *name, double *y, double *z);
/* again.c */
void conform_again(struct bench *t, const struct spec *s, struct plan_of *q, inn_exec *e, inn_exec *r);

void conform_elements(struct bench *t);
void conform_moves(struct bench *t);
void conform_windows(struct bench *t);
void conform_loops(struct bench *t);
void conform_side(struct bench *t);
void conform_kept(struct bench *t);
void conform_joined(struct bench *t);
void conform_filled(struct bench *t);
void conform_rules(struct bench *t);
void conform_sums(struct bench *t);

struct tap { size_t n, k, c, in, out, ker; }; /* channel c of x feeds channel k of y */
typedef void (*visit)(const struct tap *at, void *user);
/* Calls for every (output position, kernel position) that meets the image, in row-major order; per channel pair for
 * convolutions (pairs), else for c = k. */
void taps(const struct inn_window *w, const struct inn_shape *x, const struct inn_shape *y, const uint32_t *ker, bool pairs, visit f,
	  void *user);
uint32_t steps(uint32_t in, uint32_t size, const struct inn_window *w, uint32_t d); /* positions of a window along axis d */
double *numbers(size_t n, int fill, uint64_t seed);                                  /* freed by free */

static inline size_t count_of(const struct inn_shape *s)
{
	size_t n = 1;

	for (uint32_t d = 0; d < s->rank; d++)
		n *= s->dim[d];
	return n;
}
#define SHAPE(...) { .rank = sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), .dim = { __VA_ARGS__ } }
#endif
