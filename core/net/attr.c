/* Attributes: a layer's parameter table is its list of attributes, its options hold their values. */
#include "state.h"
#include <math.h>
#include <string.h>

static const struct inn_param *find(const inn_node *n, const char *attr)
{
	const char *p = (const char *)n->ops->cls.params;

	for (uint32_t i = 0; p && i < 256 && ((const struct inn_param *)(const void *)p)->name; i++, p += n->ops->cls.param_size)
		if (!strcmp(((const struct inn_param *)(const void *)p)->name, attr))
			return (const struct inn_param *)(const void *)p;
	return NULL;
}

static const struct inn_param *row(const inn_node *n, const char *attr)
{
	const struct inn_param *p = find(n, attr);

	if (!p)
		inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: attribute %s is not supported (opset %u)", n->label, attr, n->g->opset);
	return p;
}

static int mismatch(const inn_node *n, const char *attr, const char *got)
{
	return inn_fail(n->g->ctx, INN_EMODEL, NULL, "%s: attribute %s cannot be %s", n->label, attr, got);
}

static int in_range(const inn_node *n, const struct inn_param *p, double v)
{
	if (v >= p->min && v <= p->max)
		return INN_OK;
	return inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: attribute %s: %g is outside [%g, %g]", n->label, p->name, v, p->min,
			p->max);
}

static void *slot(const inn_node *n, const struct inn_param *p) { return (char *)n->opts + p->offset; }

int inn_node_set_int(inn_node *n, const char *attr, int64_t v)
{
	const struct inn_param *p = row(n, attr);

	if (!p)
		return INN_EUNSUP;
	switch (p->type) {
	case INN_P_BOOL:
		if (v != 0 && v != 1)
			return inn_fail(n->g->ctx, INN_EMODEL, NULL, "%s: attribute %s: %lld is neither 0 nor 1", n->label, attr,
					(long long)v);
		*(bool *)slot(n, p) = v;
		return INN_OK;
	case INN_P_INT:
		if (in_range(n, p, (double)v) < 0)
			return INN_EUNSUP;
		*(int64_t *)slot(n, p) = v;
		return INN_OK;
	case INN_P_REAL:
		return inn_node_set_real(n, attr, (double)v);
	case INN_P_INTS:
		return inn_node_set_ints(n, attr, &v, 1);
	case INN_P_ENUM:
		for (const struct inn_choice *c = p->choices; c && c->name; c++)
			if (c->value == v) {
				*(int *)slot(n, p) = (int)v;
				return INN_OK;
			}
		return inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: attribute %s: %lld is not supported", n->label, attr,
				(long long)v);
	default:
		return mismatch(n, attr, "an integer");
	}
}

int inn_node_set_real(inn_node *n, const char *attr, double v)
{
	const struct inn_param *p = row(n, attr);

	if (!p)
		return INN_EUNSUP;
	if (p->type != INN_P_REAL)
		return mismatch(n, attr, "a real number");
	if (in_range(n, p, v) < 0) /* refuses NaN too */
		return INN_EUNSUP;
	*(double *)slot(n, p) = v;
	return INN_OK;
}

int inn_node_set_str(inn_node *n, const char *attr, const char *v)
{
	const struct inn_param *p = row(n, attr);

	if (!p)
		return INN_EUNSUP;
	if (p->type == INN_P_ENUM) {
		for (const struct inn_choice *c = p->choices; c && c->name; c++)
			if (!strcmp(c->name, v)) {
				*(int *)slot(n, p) = c->value;
				return INN_OK;
			}
		return inn_fail(n->g->ctx, INN_EUNSUP, NULL, "%s: attribute %s: \"%s\" is not supported", n->label, attr, v);
	}
	if (p->type != INN_P_STR)
		return mismatch(n, attr, "a string");
	return (*(const char **)slot(n, p) = inn_strdup(n->g->ctx, v)) ? INN_OK : INN_ENOMEM;
}

int inn_node_set_ints(inn_node *n, const char *attr, const int64_t *v, size_t count)
{
	const struct inn_param *p = row(n, attr);

	if (!p)
		return INN_EUNSUP;
	if (p->type != INN_P_INTS)
		return mismatch(n, attr, "a list of integers");
	int64_t *copy = inn_alloc(n->g->ctx, count + 1, sizeof(*copy));

	if (!copy)
		return INN_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (in_range(n, p, (double)v[i]) < 0)
			return INN_EUNSUP;
		copy[i] = v[i];
	}
	*(struct inn_ints *)slot(n, p) = (struct inn_ints){ .n = count, .v = copy };
	return INN_OK;
}

int inn_node_set_reals(inn_node *n, const char *attr, const double *v, size_t count)
{
	const struct inn_param *p = row(n, attr);

	if (!p)
		return INN_EUNSUP;
	if (p->type != INN_P_REALS)
		return mismatch(n, attr, "a list of real numbers");
	double *copy = inn_alloc(n->g->ctx, count + 1, sizeof(*copy));

	if (!copy)
		return INN_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (in_range(n, p, v[i]) < 0)
			return INN_EUNSUP;
		copy[i] = v[i];
	}
	*(struct inn_reals *)slot(n, p) = (struct inn_reals){ .n = count, .v = copy };
	return INN_OK;
}

int inn_node_set_tensor(inn_node *n, const char *attr, const struct inn_tensor *t)
{
	struct attr_tensor *a = inn_alloc(n->g->ctx, 1, sizeof(*a));
	struct inn_tensor *copy = inn_alloc(n->g->ctx, 1, sizeof(*copy));
	size_t count;

	if (!a || !copy)
		return INN_ENOMEM;
	if (t->shape.rank > INN_MAX_RANK || !inn_shape_count(&t->shape, &count) || !inn_dtype_size(t->dtype))
		return inn_fail(n->g->ctx, INN_EMODEL, NULL, "%s: attribute %s has a bad shape or element type", n->label, attr);
	*copy = *t;
	*a = (struct attr_tensor){ .name = inn_strdup(n->g->ctx, attr), .t = copy, .next = n->tensors };
	if (!a->name)
		return INN_ENOMEM;
	n->tensors = a;
	return INN_OK;
}

const struct inn_tensor *inn_node_attr_tensor(const inn_node *n, const char *attr)
{
	for (const struct attr_tensor *a = n->tensors; a; a = a->next)
		if (!strcmp(a->name, attr))
			return a->t;
	return NULL;
}

int inn_node_attr_ints(const inn_node *n, const char *attr, int64_t *v, size_t max)
{
	const struct inn_param *p = find(n, attr);

	if (!p)
		return -1;
	const void *at = slot(n, p);
	const struct inn_ints *list = at;
	int64_t one;

	switch (p->type) {
	case INN_P_BOOL: one = *(const bool *)at; break;
	case INN_P_INT: one = *(const int64_t *)at; break;
	case INN_P_ENUM: one = *(const int *)at; break;
	case INN_P_INTS:
		for (size_t i = 0; i < list->n && i < max; i++)
			v[i] = list->v[i];
		return list->n > INT32_MAX ? -1 : (int)list->n;
	default: return -1;
	}
	if (max)
		v[0] = one;
	return 1;
}

double inn_node_attr_real(const inn_node *n, const char *attr)
{
	const struct inn_param *p = find(n, attr);

	return p && p->type == INN_P_REAL ? *(const double *)slot(n, p) : NAN;
}
