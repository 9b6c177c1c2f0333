/* Inside of a graph. Private to core/net. */
#ifndef INN_NET_STATE_H
#define INN_NET_STATE_H
#include "net.h"
#include "../base/ctx.h"

#define FOLD_LIMIT ((size_t)16 << 20) /* elements of a constant that is folded; larger ones are recorded */

struct tensor {
	const char *name;
	inn_node *producer;             /* NULL: model input or constant */
	const struct inn_tensor *given; /* as stored in the model or made by a pass */
	bool input;
	uint32_t hash_next;
	/* resolved */
	bool dynamic;                   /* depends on the model's input */
	bool used;                      /* read by a live node or an output */
	bool before_kernel;             /* a layer with a kernel reads it, at once or later */
	bool near;                      /* the model's input, or only looked-through layers after it */
	struct inn_shape shape;
	const struct inn_tensor *value; /* NULL unless known on the host */
	const char *param;              /* the name its value is recorded by */
	const struct inn_tensor *finite; /* the value that was found finite */
};
struct attr_tensor { const char *name; const struct inn_tensor *t; struct attr_tensor *next; };
struct template {                       /* a derivative on placeholders */
	struct template *next;
	inn_build *b;
	inn_val result;
	uint32_t out, k, n_x, n_w;
	bool affine;
	struct inn_shape *shape;        /* n_x + n_w + 1: operands, weights, seed; rank UINT32_MAX: absent */
};
struct inn_node {
	inn_graph *g;
	const struct inn_layer_ops *ops;
	const char *name, *label;       /* label: "conv2 (conv)" */
	void *opts;
	uint32_t *in, n_in, cap_in, *out, n_out, n_rows;
	struct attr_tensor *tensors;
	uint64_t fold_key;              /* what the outputs in `folded` were made from */
	const struct inn_tensor *folded;
	struct template *templates;
	bool removed;
	/* resolved */
	bool live, dynamic, first, last;
	int64_t kernel_index;
};
struct inn_graph {
	inn_ctx *ctx;
	const struct inn__finder *finder;
	uint32_t opset, batch, n_kernels, max_in;
	uint64_t stored;                /* bytes of constants as the model has them */
	uint64_t unfolded, touched;     /* by folding: bytes taken, elements read and made */
	bool taken;                     /* inn__graph_take: inputs may all have become constants */
	struct tensor *t;               /* t[0] is unused */
	uint32_t n_t, cap_t, *bucket, n_buckets;
	inn_node **node;
	uint32_t n_nodes, cap_nodes;
	struct inn__port *in, *out;
	uint32_t n_in, cap_in, n_out, cap_out;
	/* nodes that read a tensor, by tensor; rebuilt after changes */
	uint32_t *reader_at;
	inn_node **reader;
	bool readers_fresh;
};
struct inn__net { /* what hangs on a builder */
	inn_graph *g;
	inn_val low, high;
	struct inn__probe *probe;
	const struct inn__store *store;
	const struct inn_inst *inst; /* the analyzer that is recorded now */
};

/* graph.c */
uint32_t inn__tensor(inn_graph *g, const char *name, bool make); /* id or 0 (recorded if `make`) */
bool inn__grow(inn_ctx *ctx, void *array, uint32_t n, uint32_t *cap, size_t size);
bool inn__is_float(uint32_t dtype);
/* edit.c */
void inn__graph_compact(inn_graph *g, bool (*keep)(const inn_node *n)); /* drops nodes */
void inn__templates_free(inn_node *n);
/* position.c */
void inn__positions(inn_graph *g);
/* The row of the weights table with that role, or -1. */
int inn__weight_row(const inn_node *n, uint32_t role);
/* The row that names input k, if the input is constant; else -1. */
int inn__weight_at(const inn_node *n, uint32_t k);
/* site.c: the first operand that is not a weight, which is what an affine layer maps. */
uint32_t inn__data_position(const inn_node *n);
/* forward.c: operands of a node from the values of tensors; x: n->n_in, w: INN_MAX_WEIGHTS. */
void inn__operands(inn_build *b, const inn_node *n, inn_val *vals, inn_val *x, inn_val *w);
/* Records the network; vals: one for each tensor, zeroed. False after a failure. */
bool inn__record_net(inn_build *b, inn_graph *g, const inn_val *x, inn_val *vals);
inn_val inn__value_of(inn_build *b, inn_graph *g, uint32_t tensor, inn_val *vals);
inn_graph *inn__graph_of(inn_build *b); /* NULL after recording an error */
/* probe.c; all do nothing without a probe. A row is open while one output's relevance passes its node. */
bool inn__probe_begin(inn_build *b, const inn_node *n, uint32_t out, inn_val r); /* false after a failure */
void inn__probe_rule(inn_build *b, const char *rule);
void inn__probe_operand(inn_build *b, inn_val r);
void inn__probe_end(inn_build *b);
/* store.c: the analyzer that is recorded from now on; gives the one before. */
const struct inn_inst *inn__enter(inn_build *b, const struct inn_inst *inst);
/* fold.c: the node's outputs as constants. NOT_FOLDED: they are none, or the layer declined without an error; it is recorded instead.
 * in: room for its inputs. */
#define NOT_FOLDED 1
int inn__fold(inn_graph *g, inn_node *n, struct inn_tensor *in);
/* Status of the error recorded last. */
int inn__status(const inn_ctx *ctx);
#endif
