/* What the rules share: how they are declared, and how they divide. The published rules only guard an exact zero, as iNNvestigate does (z + 1e-7 [z = 0]); dialect
 * zennit adds 1e-6 with the sign of z everywhere, captum 1e-9. Every rule that divides takes the choice as a parameter. */
#ifndef LRP_RULE_H
#define LRP_RULE_H
#include <innvestigate/plugin.h>
#include <math.h>

/* The file's one rule, whose relevance the function `back` gives: name, brief, parameters, their size, check or NULL, the traits
 * that its layers must have, what it promises (enum inn_promise). */
#define RULE(name, brief, rows, size, check, traits, promise)                                               \
	static const struct inn_rule_ops rule = {                                                           \
		.cls = INN_HEAD(struct inn_rule_ops, INN_RULE, name, brief, rows, size, check),             \
		.needs = traits, .promises = promise, .back = back,                                         \
	};                                                                                                  \
	INN_PLUGIN(name, "1.0.0", "BSD-2-Clause", &rule.cls)

struct guard { /* a rule's parameters stabilizer and epsilon */
	int stabilizer;
	double epsilon;
};
enum { GUARD_AUTO = -1 };

static const struct inn_choice guards[] = {
	{ "auto", GUARD_AUTO, "an exact zero only; in the dialects zennit and captum by sign" },
	{ "zero", INN_GUARD_ZERO, "epsilon where z is exactly 0" },
	{ "sign", INN_GUARD_SIGN, "z + epsilon with the sign of z" },
	{ "clip", INN_GUARD_CLIP, "|z| is at least epsilon" },
	{ "rms", INN_GUARD_RMS, "as sign, epsilon relative to the sample's root mean square of z" },
	{ 0 },
};
#define STABILIZER(T, how)                                                                                           \
	{ .name = "stabilizer", .help = "how the denominator z is kept away from zero", .type = INN_P_ENUM,          \
	  .offset = INN_AT(T, guard.stabilizer, int), .def = how, .choices = guards }
#define STABILIZER_ROWS(T)                                                                                           \
	STABILIZER(T, GUARD_AUTO),                                                                                   \
	{ .name = "epsilon", .help = "the stabilizer's size; null: 1e-7 for zero, 1e-9 in dialect captum, else 1e-6", \
	  .type = INN_P_REAL, .offset = INN_AT(T, guard.epsilon, double), .flags = INN_NULLABLE, .min = 1e-12, .max = 1e3 }

static inline bool zennit(const struct inn_site *s) { return s->dialect == INN_ZENNIT; }
static inline bool captum(const struct inn_site *s) { return s->dialect == INN_CAPTUM; }

static inline struct inn_stabilizer stabilizer(const struct inn_site *s, const struct guard *g)
{
	struct inn_stabilizer how = { .guard = (uint32_t)g->stabilizer, .eps = g->epsilon };

	if (g->stabilizer == GUARD_AUTO)
		how.guard = zennit(s) || captum(s) ? INN_GUARD_SIGN : INN_GUARD_ZERO;
	if (isnan(how.eps))
		how.eps = how.guard == INN_GUARD_ZERO ? 1e-7 : captum(s) ? 1e-9 : 1e-6;
	return how;
}
/* max(v,0), min(v,0) of a weight or bias that may be absent. */
static inline inn_val plus(inn_build *b, inn_val v) { return v.id ? inn_pos_part(b, v) : v; }
static inline inn_val minus(inn_build *b, inn_val v) { return v.id ? inn_neg_part(b, v) : v; }
/* All ones in the shape of x, for one sample. */
static inline inn_val ones(inn_build *b, inn_val x)
{
	struct inn_shape s = *inn_shape_of(b, x);

	s.dim[0] = 1;
	return inn_const(b, 1, &s);
}
#endif
