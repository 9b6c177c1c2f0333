/* The graph behind graph.h, its resolution for a batch size, and what job asks of it. */
#ifndef INN_NET_NET_H
#define INN_NET_NET_H
#include <innvestigate/analyzer.h>
#include "../conf/conf.h"
#include "../plan/plan.h"

inn_graph *inn__graph_new(inn_ctx *ctx, const struct inn__finder *f); /* freed by inn__graph_free */
void inn__graph_free(inn_graph *g); /* NULL ok */
/* Shapes, constants and liveness for batch n (0: the model's own, 1 where it is free). Folds constants, drops identities
 * whose input is constant; checks every weight. Errors name node, kind and opset. May be called again with another n. */
int inn__graph_resolve(inn_graph *g, uint32_t n) INN_MUST;
struct inn__port { const char *name; uint32_t dtype; struct inn_shape shape; int64_t dim[INN_MAX_RANK]; uint32_t tensor; };
uint32_t inn__graph_inputs(const inn_graph *g);
uint32_t inn__graph_outputs(const inn_graph *g);
const struct inn__port *inn__graph_input(const inn_graph *g, uint32_t i);   /* shape: as resolved, axis 0 = n */
const struct inn__port *inn__graph_output(const inn_graph *g, uint32_t i);
/* Before the graph is resolved: axes of input i behind the first that the model leaves free are as long as those of `s`. */
void inn__graph_size(inn_graph *g, uint32_t i, const struct inn_shape *s);
/* Input i, before the graph is resolved, is exactly `t`: its shape from now on. What is not floating-point, or what a layer
 * must know when it is recorded, becomes a constant (keeps t->data) and is no input any more: *fixed. */
int inn__graph_take(inn_graph *g, uint32_t i, const struct inn_tensor *t, bool *fixed) INN_MUST;
/* Lets inn_forward, inn_walk, inn_vjp ... of this builder mean this graph (resolved for the builder's batch). */
int inn__net_attach(inn_build *b, inn_graph *g) INN_MUST;
/* Output i of the forward pass, for models with several. */
inn_val inn__forward_output(inn_build *b, const inn_val *x, uint32_t i);
/* Where sums and states of fitted analyzers come from. find: NULL if absent; with `must` an error is recorded. Analyzers that
 * are nested get their own inst. */
struct inn__store {
	void *user;
	const struct inn_tensor *(*find)(void *user, const struct inn_inst *inst, const char *name, bool must);
	const struct inn_tensor *(*member)(void *user, const char *path, const char *name); /* of any archive; else records */
};
void inn__net_store(inn_build *b, const struct inn__store *store, const struct inn_inst *inst);
/* Relevance bounds of the model's input for `low: auto` (id 0 until set), seen by sites. */
void inn__net_bounds(inn_build *b, inn_val low, inn_val high);
/* What the walks of one analyzer report besides its maps, filled while it is recorded. */
struct inn__audit_row { const char *node, *kind, *rule; inn_val in, out, lost[INN_LOSSES]; }; /* each [N,1], sums; id 0: nothing */
struct inn__watched { const char *name; inn_val v; }; /* the relevance that arrived at a layer's output */
struct inn__probe {
	bool audit;
	struct inn_strs watch;   /* globs over names of layers and tensors */
	uint32_t n_row, cap_row, n_watched, cap_watched, n_share, cap_share;
	struct inn__audit_row *row;
	struct inn__watched *watched;
	uint32_t *share;         /* what the open row counted already */
	bool open;
};
void inn__net_probe(inn_build *b, struct inn__probe *p); /* NULL: none; borrowed */
void inn__probe_free(struct inn__probe *p);               /* what it grew */
/* One line per live node for `plan`: index among kernels (or -1), name, kind, output shape. */
struct inn__node_info { const char *name, *kind, *tensor; /* its first output in use, or NULL */ int64_t kernel_index; bool first, last; struct inn_shape out; };
bool inn__graph_info(const inn_graph *g, uint32_t node, struct inn__node_info *info); /* false: not alive */
#endif
