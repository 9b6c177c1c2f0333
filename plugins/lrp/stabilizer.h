/* How the rules divide: the published rules only guard an exact zero (iNNvestigate: z + 1e-7 [z = 0]); dialect zennit adds
 * 1e-6 with the sign of z everywhere. */
#ifndef LRP_STABILIZER_H
#define LRP_STABILIZER_H
#include <innvestigate/plugin.h>

static inline bool zennit(const struct inn_site *s) { return s->dialect == INN_ZENNIT; }

static inline inn_val branches(inn_build *b, const struct inn_site *s, const struct inn_branch *br, uint32_t n)
{
	return inn_branches(b, s, s->r, br, n, 1e-6, !zennit(s));
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
