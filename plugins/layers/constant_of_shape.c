/* ConstantOfShape: one value everywhere. A constant of reals that is too large to be folded takes no memory where it is recorded. */
#include "host.h"

static bool shape_of(inn_ctx *ctx, const inn_node *n, struct inn_shape *s)
{
	int64_t v[MAX_LIST];
	int rank = numbers(ctx, n, 0, NULL, v);

	*s = (struct inn_shape){ .rank = (uint32_t)rank };
	if (rank < 0 || rank > (int)INN_MAX_RANK)
		return unsupported_in(ctx, n, "a constant shape of at most 8 axes is supported"), false;
	for (int i = 0; i < rank; i++) {
		if (v[i] < 0 || v[i] > INT32_MAX)
			return unsupported_in(ctx, n, "a size is negative or too large"), false;
		s->dim[i] = (uint32_t)v[i];
	}
	return true;
}

/* The attribute, or NULL for 0.0; false if it is not one number. */
static bool value_of(inn_ctx *ctx, const inn_node *n, const struct inn_tensor **value)
{
	size_t count;

	*value = inn_node_attr_tensor(n, "value");
	if (*value && (!inn_shape_count(&(*value)->shape, &count) || count != 1))
		return unsupported_in(ctx, n, "value must be one number"), false;
	return true;
}

static int fold(FOLD)
{
	const struct inn_tensor *value;
	struct inn_shape s;
	size_t count;
	int status;

	if (!n_in || !in[0].data || !shape_of(ctx, n, &s) || !value_of(ctx, n, &value))
		return INN_EUNSUP;
	if ((!value || host_is_float(value->dtype)) && (!inn_shape_count(&s, &count) || count > FOLD_MAX))
		return INN_EUNSUP; /* recorded */
	if ((status = host_new(ctx, n, value ? value->dtype : INN_F32, &s, &count, out)) < 0)
		return status;
	for (size_t i = 0; value && i < count; i++)
		memcpy(host_at(out, i), value->data, inn_dtype_size(value->dtype));
	return INN_OK;
}

static inn_val forward(FORWARD)
{
	const struct inn_tensor *value;
	struct inn_shape s;

	(void)x;
	(void)w;
	(void)out;
	if (!shape_of(inn_build_ctx(b), n, &s) || !value_of(inn_build_ctx(b), n, &value))
		return no_value;
	return inn_const(b, value ? inn_tensor_real(value, 0) : 0, &s);
}

LAYER(constant_of_shape, "one value everywhere", NULL, 0, .traits = 0, .fold = fold);
