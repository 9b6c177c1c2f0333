/* A convolution on its way to a primitive. Shared by product.c and weights.c. */
#ifndef INN_CPU_PRODUCT_H
#define INN_CPU_PRODUCT_H
#include "cpu.h"

struct map;

enum { X, W, Y };
struct conv {
	uint32_t code;                /* of the product as it is done: a turned adjoint is a convolution */
	uint32_t i, at, step;         /* the operation; the one whose value is the result; the one whose step it is */
	const struct tail *tail;      /* what follows in the same pass, or NULL */
	uint32_t op[3], src[3];       /* operations that hold x, w and y; their number as a source, NONE: the result */
	struct inn_shape shape[3];
	uint32_t n, groups;
	dnnl_memory_desc_t plain[3], any[3], more; /* more: of what the tail adds */
	dnnl_dims_t stride, dilation, before, after;
	bool fixed;                   /* x and y in blocks of channels where their shapes allow */
	bool flipped;                 /* x and y exchanged, w flipped and transposed */
	struct product *q;
};

/* product.c: operation i as a convolution whose result is stored at operation `at`. */
void cpu_conv(const struct inn_exec *e, uint32_t i, uint32_t at, struct conv *c);

/* A convolution on blocks of channels; *pd NULL if oneDNN has no fast one. */
int cpu_forward(struct inn_exec *e, struct conv *c, dnnl_primitive_desc_t *pd);

/* choose.c */
bool cpu_can_go_on(const struct inn_exec *e, const struct conv *c); /* an elementwise group may be computed in the same step */
bool cpu_on_blocks(const struct inn_exec *e, const struct conv *c); /* oneDNN is asked for a primitive on blocks of channels */
#define CPU_TAPS 16u /* kernel positions along an axis */
#define PANEL_STRIDE 15 /* fits into the order by which weights.c knows an adjoint */
enum way { DIRECT, TILES_2, TILES_4, NARROW, PANELS, DEPTHWISE };
enum way cpu_way(const struct inn_exec *e, const struct conv *c);
bool cpu_turns(const struct inn_exec *e, const struct conv *c); /* an adjoint runs as the convolution with the turned kernel */
int cpu_winograd(struct inn_exec *e, const struct conv *c, enum way way);
int cpu_narrow(struct inn_exec *e, const struct conv *c);
int cpu_panels(struct inn_exec *e, const struct conv *c);
int cpu_depthwise(struct inn_exec *e, const struct conv *c);

/* A tail as our own products do it. Locations, NONE: not there; n_bias: its numbers; clips: at `top`; both: `by` is below `below`, too. */
struct finish { uint32_t bias, more, by, n_bias; bool relu, clips, both; float top, below; };
int cpu_finish(struct inn_exec *e, const struct conv *c, struct finish *f); /* fuse.c */
/* after.c: the group behind the product whose step it is, NULL if there is none; its result stands in blocks. */
int cpu_after(struct inn_exec *e, const struct conv *c, struct map **m);

/* Room for `bytes` in the scratch memory of one product. */
static inline size_t cpu_take(struct inn_exec *e, struct product *q, size_t bytes)
{
	size_t at = q->top;

	q->top += round_up(bytes);
	cpu_scratch(e, q->top);
	return at;
}

/* weights.c: room among what is kept for the kernel in a layout of our own; fresh: nobody has asked for it before. */
int cpu_own_weight(struct inn_exec *e, const struct conv *c, enum way way, size_t bytes, size_t *offset, bool *fresh);
/* The slot of the kernel in the layout asked for. */
int cpu_kept_weight(struct inn_exec *e, const struct conv *c, const dnnl_memory_desc_t *want, uint32_t *slot);
#endif
