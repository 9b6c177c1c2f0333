/* Analyzers: a pure function from the model's inputs and a pick of outputs to one map for each input. */
#ifndef INNVESTIGATE_ANALYZER_H
#define INNVESTIGATE_ANALYZER_H

#include <innvestigate/rule.h>

/* What seeds the reverse pass: the picked value, max(value,0), or one. PASS: wrappers leave it to what they wrap. */
enum inn_head_kind { INN_VALUE, INN_VALUE_PLUS, INN_ONE, INN_PASS_HEAD };

struct inn_query {
	uint32_t size, n_x;
	const inn_val *x;  /* the model's inputs, axis 0 = samples */
	inn_val pick;      /* [N,n] weights of the flattened outputs, chosen on the clean input */
	int head, dialect; /* -1: not decided yet by an outer analyzer */
};
struct inn_analyzer_ops {
	struct inn_class cls;
	int head; /* default, enum inn_head_kind */
	/* Optional: refuse a network by name, with the layer that is in the way. */
	int (*accepts)(inn_ctx *ctx, const inn_graph *g, const void *opts);
	/* Records r[i] of the shape of q->x[i]. head and dialect are decided by then. */
	void (*build)(inn_build *b, const struct inn_query *q, const void *opts, inn_val *r);
	/* Optional, all or none: what must be known of a data set before `build`. fit records statistics of one batch with
	 * inn_stat; finish makes of their sums over the data set what inn_state will give. No statistics: nothing need be known.
	 * Analyzers that name the same `fits` share states, where their parameters are the same. */
	void (*fit)(inn_build *b, const struct inn_query *q, const void *opts);
	void (*finish)(inn_build *b, const void *opts);
	const char *fits; /* what the state is called: "patterns" */
};
/* The network's output for inputs x (as many as the model has). */
INN_API inn_val inn_forward(inn_build *b, const inn_val *x);
/* The output flattened to [N,n]. */
INN_API inn_val inn_logits(inn_build *b, inn_val y);
/* By q->head: pick, pick*y, max(pick*y,0), in y's shape. */
INN_API inn_val inn_seed(inn_build *b, const struct inn_query *q, inn_val y);
/* Builds a nested analyzer on q (its own head and dialect win); r[i] for each input. */
INN_API void inn_nested(inn_build *b, const struct inn_inst *inst, const struct inn_query *q, inn_val *r);

/* ---- fitted analyzers; inn_stat stands in build.h. Names are printable, without /, \ and :. */
/* In finish: the statistic's sum; id 0 if fit recorded none of that name. */
INN_API inn_val inn_sum_of(inn_build *b, const char *name);
/* In finish: v becomes part of the state. */
INN_API void inn_keep(inn_build *b, const char *name, inn_val v);
/* In build: what finish kept by that name, of that shape; an error with the analyzer's place if there is none. */
INN_API inn_val inn_state(inn_build *b, const char *name, const struct inn_shape *shape);
INN_API bool inn_state_has(inn_build *b, const char *name);
/* A member of an archive of arrays (.npz), in `build`; an error that names both if it is not there. */
INN_API inn_val inn_array_of(inn_build *b, const char *path, const char *name);

#endif
