/* The network: tensors and nodes, as formats build them, passes change them and layers read them. */
#ifndef INNVESTIGATE_GRAPH_H
#define INNVESTIGATE_GRAPH_H

#include <innvestigate/build.h>
#include <innvestigate/class.h>

typedef struct inn_graph inn_graph;
typedef struct inn_node inn_node;

/* ---- building; tensors are named, "" is an absent input. Fallible ones record and return a status. [job] */
INN_API inn_ctx *inn_graph_ctx(inn_graph *g);
INN_API const inn_graph *inn_build_graph(inn_build *b); /* the network that a builder records; NULL after an error */
INN_API void inn_graph_opset(inn_graph *g, uint32_t version);
/* dim[i] < 0: free. Axis 0 counts samples. */
INN_API int inn_graph_input(inn_graph *g, const char *name, uint32_t dtype, const int64_t *dim, uint32_t rank) INN_MUST;
INN_API int inn_graph_const(inn_graph *g, const char *name, const struct inn_tensor *t) INN_MUST; /* keeps t->data */
INN_API int inn_graph_output(inn_graph *g, const char *name) INN_MUST;
/* Adds a node of layer kind `kind` ("conv"); producers first. NULL after recording an error that names node,
 * kind and opset if no such layer exists. Copies the names. */
INN_API inn_node *inn_graph_add(inn_graph *g, const char *kind, const char *name, const char *const *in, uint32_t n_in,
				const char *const *out, uint32_t n_out) INN_MUST;
/* Set an attribute by its row in the layer's table (checked: unknown name, wrong type, out of range). */
INN_API int inn_node_set_int(inn_node *n, const char *attr, int64_t v) INN_MUST;   /* BOOL, INT, ENUM rows, REAL too */
INN_API int inn_node_set_real(inn_node *n, const char *attr, double v) INN_MUST;
INN_API int inn_node_set_str(inn_node *n, const char *attr, const char *v) INN_MUST; /* STR; ENUM by choice's name */
INN_API int inn_node_set_ints(inn_node *n, const char *attr, const int64_t *v, size_t count) INN_MUST;
INN_API int inn_node_set_reals(inn_node *n, const char *attr, const double *v, size_t count) INN_MUST;
INN_API int inn_node_set_tensor(inn_node *n, const char *attr, const struct inn_tensor *t) INN_MUST; /* keeps; any name */

/* ---- reading. Tensor handles are ids, 0: absent */
INN_API uint32_t inn_graph_nodes(const inn_graph *g); /* in topological order */
INN_API inn_node *inn_graph_node(const inn_graph *g, uint32_t i);
INN_API const char *inn_node_name(const inn_node *n);
INN_API const char *inn_node_kind(const inn_node *n); /* "conv" */
INN_API const void *inn_node_opts(const inn_node *n);  /* the bound attributes */
INN_API const struct inn_tensor *inn_node_attr_tensor(const inn_node *n, const char *attr); /* NULL if unset */
/* Attribute of a BOOL, INT, ENUM or INTS row: its numbers' count, the first `max` of them in v; -1: no such row. */
INN_API int inn_node_attr_ints(const inn_node *n, const char *attr, int64_t *v, size_t max);
INN_API double inn_node_attr_real(const inn_node *n, const char *attr); /* of a REAL row; NaN: no such row */
INN_API uint32_t inn_node_opset(const inn_node *n);
INN_API const inn_graph *inn_node_graph(const inn_node *n);
INN_API int inn_node_kernel_axis(const inn_node *n); /* of inn_layer_ops; -1: none */
INN_API int64_t inn_node_kernel_index(const inn_node *n); /* among layers with a kernel, in forward order; -1: none */
INN_API uint32_t inn_node_traits(const inn_node *n); /* AFFINE only while the kernel is constant */
INN_API uint32_t inn_node_n_in(const inn_node *n);
INN_API uint32_t inn_node_n_out(const inn_node *n);
INN_API uint32_t inn_node_in(const inn_node *n, uint32_t k);  /* 0 if absent or k is too large */
INN_API uint32_t inn_node_out(const inn_node *n, uint32_t k);
/* After the graph was resolved for a batch size: */
INN_API const struct inn_tensor *inn_node_const(const inn_node *n, uint32_t k); /* input k if constant, else NULL */
INN_API const struct inn_shape *inn_node_shape(const inn_node *n, uint32_t k);  /* of input k; NULL if absent   */
INN_API uint32_t inn_graph_batch(const inn_graph *g); /* N it was resolved for */
INN_API inn_node *inn_graph_producer(const inn_graph *g, uint32_t tensor); /* NULL: input or constant */
INN_API uint32_t inn_graph_readers(const inn_graph *g, uint32_t tensor);   /* nodes reading it + 1 if an output */
INN_API inn_node *inn_graph_reader(const inn_graph *g, uint32_t tensor, uint32_t i); /* i-th reading node or NULL */
INN_API bool inn_graph_is_output(const inn_graph *g, uint32_t tensor);
INN_API const struct inn_shape *inn_graph_shape(const inn_graph *g, uint32_t tensor);
INN_API const struct inn_tensor *inn_graph_value(const inn_graph *g, uint32_t tensor); /* NULL unless constant */

/* ---- changing, for passes */
INN_API uint32_t inn_graph_new_const(inn_graph *g, const char *hint, const struct inn_tensor *t); /* keeps t->data; 0 on failure */
/* A new node of one output, computed before `before`, which reads these tensors; names follow from the hint. NULL after recording. */
INN_API inn_node *inn_graph_insert(inn_graph *g, const inn_node *before, const char *kind, const char *hint, const uint32_t *in,
				   uint32_t n_in) INN_MUST;
INN_API void inn_node_rewire(inn_node *n, uint32_t k, uint32_t tensor);        /* k may be one past the end */
INN_API void inn_graph_replace(inn_graph *g, uint32_t from, uint32_t to);      /* all readers and outputs  */
INN_API void inn_graph_remove(inn_graph *g, inn_node *n); /* its readers read its input 0 instead */

/* ---- layers: what a kind of node is */
enum inn_trait {
	INN_T_AFFINE = 1, INN_T_RECTIFIER = 2, INN_T_ACTIVATION = 4, INN_T_POOL = 8, INN_T_MERGE = 16,
	INN_T_RESHAPE = 32, INN_T_NORM = 64, INN_T_SPATIAL = 128, INN_T_GATE = 256, INN_T_SUM_POOL = 512,
	INN_T_IDENTITY = 1024, INN_T_PAD = 2048, INN_T_MAX_POOL = 4096, INN_T_SOFTMAX = 8192,
};
enum inn_role { INN_W_KERNEL = 1, INN_W_BIAS, INN_W_SCALE, INN_W_SHIFT, INN_W_MEAN, INN_W_VAR, INN_W_SLOPE };
struct inn_weight { /* table ends with { 0 }; an input named here is a weight where it is constant */
	const char *name;
	uint32_t role, input; /* enum inn_role; the input position */
};
#define INN_MAX_WEIGHTS 6
struct inn_layer_ops {
	struct inn_class cls; /* name = the operator in snake_case, params = its attributes */
	uint32_t traits;
	uint32_t max_out;     /* outputs it can produce; 0 means 1 */
	const struct inn_weight *weights;
	/* Records output `out`. x[k] is input k (0 if absent, or a weight, or an integer constant: see
	 * inn_node_const); w[i] belongs to row i of `weights` (0 if absent or not constant; then x holds it).
	 * Takes every size from its operands, axis 0 included: it is recorded again with other inputs and weights,
	 * and an absent bias or shift must be left out. Shapes follow from what it records. */
	inn_val (*forward)(inn_build *b, const inn_node *n, const inn_val *x, const inn_val *w, uint32_t out);
	/* Optional: all outputs from constant inputs of any type (in[k].data NULL: absent). out[i].data by
	 * inn_alloc. `Shape` gets its answer from inn_node_shape and is called with constant == false inputs too. */
	int (*fold)(inn_ctx *ctx, const inn_node *n, const struct inn_tensor *in, uint32_t n_in, struct inn_tensor *out);
	bool fold_shape_only; /* fold needs only the inputs' shapes (Shape, Size) */
	/* Optional: the window that slides over an input of shape x. False after recording an error. */
	bool (*window)(inn_build *b, const inn_node *n, const struct inn_shape *x, struct inn_window *win);
	uint32_t known;       /* bit k: `forward` needs the numbers of input k, also where they are floats (scales) */
	/* Optional, AFFINE: the kernel's axis that counts the output's channels (axis 1 of a SPATIAL layer's output, else the
	 * last); -1: none alone. */
	int (*kernel_axis)(const inn_node *n);
};

struct inn_pass_ops { /* graph -> graph; sees a graph resolved for its own or a trial batch */
	struct inn_class cls;
	int (*apply)(inn_ctx *ctx, inn_graph *g, const void *opts); /* INN_OK or a recorded error; [job] */
};
#endif
