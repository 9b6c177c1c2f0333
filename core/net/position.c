/* Traits of a node, and where it stands among the layers with a kernel. */
#include "state.h"

/* Layers behind which the model's input is no longer what a kernel sees. */
#define OPAQUE (INN_T_RECTIFIER | INN_T_ACTIVATION | INN_T_POOL | INN_T_SUM_POOL | INN_T_MAX_POOL | INN_T_SOFTMAX)

int inn__weight_row(const inn_node *n, uint32_t role)
{
	for (uint32_t i = 0; i < n->n_rows; i++)
		if (n->ops->weights[i].role == role)
			return (int)i;
	return -1;
}

int inn__weight_at(const inn_node *n, uint32_t k)
{
	for (uint32_t i = 0; i < n->n_rows; i++)
		if (n->ops->weights[i].input == k && inn_node_in(n, k) && !n->g->t[n->in[k]].dynamic)
			return (int)i;
	return -1;
}

uint32_t inn_node_traits(const inn_node *n)
{
	int row = inn__weight_row(n, INN_W_KERNEL);

	if (row >= 0 && inn__weight_at(n, n->ops->weights[row].input) < 0)
		return n->ops->traits & ~(uint32_t)INN_T_AFFINE;
	return n->ops->traits;
}

static bool has_kernel(const inn_node *n)
{
	return n->live && n->dynamic && inn__weight_row(n, INN_W_KERNEL) >= 0 && (inn_node_traits(n) & INN_T_AFFINE);
}

/* `near` forward from the inputs: only looked-through layers lie before. */
static void forwards(inn_graph *g)
{
	for (uint32_t t = 1; t < g->n_t; t++)
		g->t[t].near = g->t[t].input;
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		inn_node *n = g->node[i];
		bool near = n->live && n->dynamic;

		n->kernel_index = -1;
		for (uint32_t k = 0; k < n->n_in; k++)
			if (n->in[k] && g->t[n->in[k]].dynamic)
				near &= g->t[n->in[k]].near;
		n->first = n->last = false;
		if (has_kernel(n)) {
			n->kernel_index = g->n_kernels++;
			n->first = near;
			near = false;
		}
		for (uint32_t k = 0; k < n->n_out; k++)
			if (n->out[k])
				g->t[n->out[k]].near = near && !(n->ops->traits & OPAQUE);
	}
}

/* Backwards from the outputs: no layer with a kernel may come after the last one. */
static void backwards(inn_graph *g)
{
	for (uint32_t t = 1; t < g->n_t; t++)
		g->t[t].before_kernel = false;
	for (uint32_t i = g->n_nodes; i-- > 0;) {
		inn_node *n = g->node[i];
		bool later = false;

		if (!n->live || !n->dynamic)
			continue;
		for (uint32_t k = 0; k < n->n_out; k++)
			later |= n->out[k] && g->t[n->out[k]].before_kernel;
		n->last = n->kernel_index >= 0 && !later;
		for (uint32_t k = 0; k < n->n_in; k++)
			g->t[n->in[k]].before_kernel |= later || n->kernel_index >= 0;
	}
}

void inn__positions(inn_graph *g)
{
	g->n_kernels = 0;
	forwards(g);
	backwards(g);
}

int64_t inn_node_kernel_index(const inn_node *n) { return n->live ? n->kernel_index : -1; }

int inn_node_kernel_axis(const inn_node *n)
{
	return (inn_node_traits(n) & INN_T_AFFINE) && n->ops->kernel_axis ? n->ops->kernel_axis(n) : -1;
}

const inn_graph *inn_node_graph(const inn_node *n) { return n->g; }

bool inn__graph_info(const inn_graph *g, uint32_t node, struct inn__node_info *info)
{
	const inn_node *n = inn_graph_node(g, node);

	if (!n || !n->live)
		return false;
	*info = (struct inn__node_info){ .name = n->name, .kind = n->ops->cls.name, .kernel_index = n->kernel_index,
					 .first = n->first, .last = n->last };
	for (uint32_t k = n->n_out; k-- > 0;)
		if (n->out[k] && g->t[n->out[k]].used) {
			info->out = g->t[n->out[k]].shape;
			info->tensor = g->t[n->out[k]].name;
		}
	return true;
}
