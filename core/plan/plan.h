/* Values and how they become a plan. The builder's public face is build.h. */
#ifndef INN_PLAN_PLAN_H
#define INN_PLAN_PLAN_H
#include <innvestigate/backend.h>
#include <stdio.h>

struct inn__net;
/* A builder for batches of n samples; freed with inn__build_free (its values die with it). NULL after recording. */
inn_build *inn__build_new(inn_ctx *ctx, uint32_t batch);
void inn__build_free(inn_build *b); /* NULL ok */
uint32_t inn__build_batch(const inn_build *b);
uint32_t inn__build_open(const inn_build *b); /* loops open now */
bool inn__build_mixes(const inn_build *b); /* failed only because samples meet in an output */
bool inn__build_untracked(const inn_build *b); /* failed only because axis 0 of an output is not known to count samples */
void inn__build_set_net(inn_build *b, void *net); /* what net/ hangs on: borrowed */
void *inn__build_net(const inn_build *b);
/* What messages and dumps name as the origin of what is recorded from now on; gives the previous. Keeps `from`. */
const char *inn__build_from(inn_build *b, const char *from);
/* Role counted for products recorded from now on (INN_ROLE_FORWARD while a layer's forward records); gives the previous. */
uint32_t inn__build_role(inn_build *b, uint32_t role);
/* A per-batch input; sign: enum inn_sign if preprocessing proves it. kind: 0 data, 1 sample ids, 2 valid. */
inn_val inn__input(inn_build *b, const char *name, const struct inn_shape *shape, uint32_t sign, uint32_t kind);
inn_val inn__output(inn_build *b, const char *name, inn_val v); /* a sink; v must be sample-major */
inn_val inn__keep(inn_build *b, const char *name, inn_val v); /* a sink that is the same for all samples */
/* A param without data that never merges with others of another name: the operands of derivative templates. */
inn_val inn__placeholder(inn_build *b, const char *name, const struct inn_shape *shape);
/* Records template value `v` of builder `t` in b, with the n placeholders replaced. */
inn_val inn__instantiate(inn_build *b, inn_build *t, inn_val v, const inn_val *placeholder, const inn_val *with, uint32_t n);
bool inn__depends(inn_build *b, inn_val v, inn_val on); /* v is on, or was computed from it */
/* How inn_source_of reads an array file; the tensor lives as long as the job. */
void inn__build_set_loader(inn_build *b, int (*load)(inn_ctx *, void *, const char *, struct inn_tensor *), void *user);

/* Who takes what inn_measure gives; NULL: nobody. */
void inn__build_set_measure(inn_build *b, void (*measure)(void *, const char *, inn_val, const double *, uint32_t), void *user);

/* Rebuilds from the outputs with all rewrites, orders, and gives a plan freed with inn__plan_free. */
struct inn_plan *inn__close(inn_build *b, bool strict);
/* The same for what one of several outputs needs, strictly. */
uint32_t inn__sinks(const inn_build *b);
struct inn_plan *inn__close_sink(inn_build *b, uint32_t i);
void inn__plan_free(struct inn_plan *p); /* NULL ok */
/* The same plan with iterations of its loops side by side, at most `rows` rows at a time; NULL where no loop allows it. It borrows
 * the names and the data of the first. */
int inn__widen(inn_ctx *ctx, const struct inn_plan *p, uint32_t rows, struct inn_plan **out);
void inn__plan_dump(const struct inn_plan *p, FILE *to);
struct inn__cost { double forward, backward, other, once; uint32_t ops, z; }; /* multiplications; z: pre-activations stored besides their ReLU */
/* Multiplications and additions of a product, elements of elementwise operations and reductions, 0 of all others. */
double inn__plan_flops(const struct inn_plan *p, uint32_t op);
void inn__plan_cost(const struct inn_plan *p, struct inn__cost *c);
#endif
