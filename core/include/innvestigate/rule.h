/* Rules: how relevance passes one layer, and the reverse walk that applies them. */
#ifndef INNVESTIGATE_RULE_H
#define INNVESTIGATE_RULE_H

#include <innvestigate/graph.h>

enum inn_dialect { INN_PAPER, INN_INNVESTIGATE, INN_ZENNIT, INN_CAPTUM };

struct inn_site { /* one layer as the reverse walk meets it; borrowed */
	uint32_t size;
	const inn_node *node;
	const inn_val *x, *w; /* as the layer's forward got them */
	uint32_t n_x, n_w;
	uint32_t out;         /* which output the relevance belongs to */
	inn_val y, r;         /* that output; the relevance that arrived at it */
	inn_val low, high;    /* bounds of the model's input, if preprocessing gives them */
	uint32_t dialect;
};
enum inn_promise { INN_CONSERVES = 1, INN_CONSERVES_WITHOUT_BIAS = 2 };
struct inn_rule_ops {
	struct inn_class cls;
	uint32_t needs;    /* traits the layer must have, else a configuration error */
	uint32_t promises; /* enum inn_promise */
	/* Relevance of input k. */
	inn_val (*back)(inn_build *b, const struct inn_site *s, uint32_t k, const void *opts);
};
/* What rule `inst` gives for this site, its needs checked; a rule that chooses among others ends with it. */
INN_API inn_val inn_apply_rule(inn_build *b, const struct inn_site *s, uint32_t k, const struct inn_inst *inst);
/* The weight with that role, or id 0. */
INN_API inn_val inn_weight_of(const struct inn_site *s, uint32_t role);
/* The layer's map of other inputs and weights: x takes the place of the input, W of the kernel, bias (id 0:
 * none) of the bias; and its transpose in x applied to a cotangent g of the output's shape. AFFINE layers. */
INN_API inn_val inn_affine(inn_build *b, const struct inn_site *s, inn_val x, inn_val W, inn_val bias);
INN_API inn_val inn_affine_t(inn_build *b, const struct inn_site *s, inn_val g, inn_val W);
/* The adjoint in the kernel: sum over samples and positions of x times g (a cotangent of the output's shape). */
INN_API inn_val inn_affine_w(inn_build *b, const struct inn_site *s, inn_val x, inn_val g);
/* The derivative of the layer's output in operand position k, seeded; any layer. */
INN_API inn_val inn_vjp(inn_build *b, const struct inn_site *s, uint32_t k, inn_val seed);

/* How a denominator z is kept away from zero, with sign(0) = 1. RMS scales eps by each sample's root mean square of z. */
enum inn_guard {
	INN_GUARD_ZERO, /* z + eps [z = 0]             */
	INN_GUARD_SIGN, /* z + eps sign(z)             */
	INN_GUARD_CLIP, /* sign(z) max(|z|, eps)       */
	INN_GUARD_RMS,  /* z + eps rms(z) sign(z)      */
};
struct inn_stabilizer { uint32_t guard; double eps; };
/* r / z, stabilised. An audit counts what the stabilizer takes. */
INN_API inn_val inn_ratio(inn_build *b, inn_val r, inn_val z, struct inn_stabilizer how);

/* The window that a pooling layer slides over its input; false after recording that it has none. */
INN_API bool inn_window_of(inn_build *b, const struct inn_site *s, struct inn_window *win) INN_MUST;

struct inn_branch { inn_val x, W, bias; double sign; }; /* sign: of its term in the denominator; 0 means +1 */
/* sum_j sign_j x_j * f^T(r / (sum_j sign_j f(x_j, W_j) + bias_j); W_j), stabilised: what most rules are. The result has
 * the operand's shape. An audit counts what the biases take. */
INN_API inn_val inn_branches(inn_build *b, const struct inn_site *s, inn_val r, const struct inn_branch *br, uint32_t n,
			     struct inn_stabilizer how);
/* The sum of inn_branches over parts (up to INN_MAX_PARTS), each of which has a share r of the relevance: every quotient is
 * taken before one is sent back, and what goes to the same x is added up before x multiplies it. */
struct inn_part { inn_val r; const struct inn_branch *branch; uint32_t n; };
#define INN_MAX_PARTS 4u
INN_API inn_val inn_parts(inn_build *b, const struct inn_site *s, const struct inn_part *part, uint32_t n, struct inn_stabilizer how);
/* For an audit: `share` [any shape, axis 0 = samples] of the relevance that arrived stays with the layer, for this reason.
 * The same value counts once a site. Records nothing unless the run audits. */
enum inn_loss { INN_LOSS_BIAS, INN_LOSS_STABILIZER, INN_LOSSES };
INN_API void inn_lost(inn_build *b, enum inn_loss why, inn_val share);
INN_API bool inn_audits(const inn_build *b); /* whether shares are worth recording */

struct inn_query; /* analyzer.h */
typedef inn_val (*inn_back)(inn_build *b, const struct inn_site *s, uint32_t k, const void *user);
/* Walks the network in reverse from the flattened-to-output-shape relevance `seed` of the output to the model's
 * inputs: r[i] for q->x[i]. `back` gives the relevance of operand k at each site; a tensor read several times gets
 * the sum. Kept per tensor of the graph, never per value. */
INN_API void inn_walk(inn_build *b, const struct inn_query *q, inn_val seed, inn_back back, const void *user, inn_val *r);
/* The same by a table of rules; a layer that nothing matches takes `fallback` (cls NULL: an error that names it). */
INN_API void inn_walk_rules(inn_build *b, const struct inn_query *q, inn_val seed, const struct inn_rules *rules,
			    const struct inn_inst *fallback, inn_val *r);

/* ---- the table behind INN_P_RULES: all given keys of a match must hold, first match wins */
enum inn_position { INN_ANYWHERE, INN_FIRST, INN_LAST };
struct inn_match {
	struct inn_strs kind, trait; /* any of these layer kinds / has any of these traits ("affine", ...) */
	const char *name;            /* glob over node names, or NULL */
	int position;                /* enum inn_position, among layers with a kernel */
	int64_t until;               /* layers with a kernel 0..until, or INN_NO_INT */
	double depth_from, depth_to; /* kernel index / (number of kernels - 1) in [from, to]; NaN: any */
	struct inn_loc loc;
};
struct inn_rules {
	size_t n;
	const struct inn_rule_entry { struct inn_match match; struct inn_inst rule; } *v;
};
#endif
