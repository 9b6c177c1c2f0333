/* What finish and build of fitted analyzers read: sums over a data set, states, arrays of archives. */
#include "state.h"
#include <string.h>

void inn__net_store(inn_build *b, const struct inn__store *store, const struct inn_inst *inst)
{
	struct inn__net *net = inn__build_net(b);

	if (net) {
		net->store = store;
		net->inst = inst;
	}
}

const struct inn_inst *inn__enter(inn_build *b, const struct inn_inst *inst)
{
	struct inn__net *net = inn__build_net(b);
	const struct inn_inst *outer = net ? net->inst : NULL;

	if (net)
		net->inst = inst;
	return outer;
}

static const struct inn_tensor *find(inn_build *b, const char *name, bool must)
{
	const struct inn__net *net = inn__build_net(b);
	inn_ctx *ctx = inn_build_ctx(b);

	if (net && net->store && net->inst)
		return net->store->find(net->store->user, net->inst, name, must);
	if (must && !inn_failed(ctx))
		inn_fail(ctx, INN_EBUG, NULL, "a state is asked for where there is none");
	return NULL;
}

/* Params of one name are one value, so the name tells whose it is. */
static inn_val param(inn_build *b, const char *of, const char *name, const struct inn_tensor *t)
{
	char *full = t ? inn_printf(inn_build_ctx(b), "%s: %s", of, name) : NULL;

	return full ? inn_param_of(b, full, t) : (inn_val){ 0 };
}

inn_val inn_sum_of(inn_build *b, const char *name) { return param(b, "sum", name, find(b, name, false)); }

void inn_keep(inn_build *b, const char *name, inn_val v) { inn__keep(b, name, v); }

bool inn_state_has(inn_build *b, const char *name) { return find(b, name, false); }

inn_val inn_state(inn_build *b, const char *name, const struct inn_shape *shape)
{
	const struct inn__net *net = inn__build_net(b);
	const struct inn_tensor *t = find(b, name, true);
	char got[INN_SHAPE_STR], want[INN_SHAPE_STR];

	if (!t)
		return (inn_val){ 0 };
	if (!inn_shape_eq(&t->shape, shape)) {
		inn_fail(inn_build_ctx(b), INN_EDATA, &net->inst->loc, "%s: %s has shape %s in the state %s; this network needs %s", net->inst->label,
			 name, inn_shape_str(&t->shape, got), net->inst->state, inn_shape_str(shape, want));
		return (inn_val){ 0 };
	}
	return param(b, net->inst->state, name, t);
}

inn_val inn_array_of(inn_build *b, const char *path, const char *name)
{
	const struct inn__net *net = inn__build_net(b);

	if (!net || !net->store || !net->store->member)
		return (inn_val){ 0 };
	return param(b, path, name, net->store->member(net->store->user, path, name));
}
