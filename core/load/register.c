/* Registration: mandatory slots, tables, defaults; so that callers test optional slots only. */
#include "register.h"
#include <innvestigate/plugin.h>
#include <string.h>

#define MAX_ROWS 256

static const size_t sizes[INN_KINDS] = {
	[INN_LAYER] = sizeof(struct inn_layer_ops), [INN_RULE] = sizeof(struct inn_rule_ops), [INN_ANALYZER] = sizeof(struct inn_analyzer_ops),
	[INN_PASS] = sizeof(struct inn_pass_ops), [INN_STAGE] = sizeof(struct inn_stage_ops), [INN_FILL] = sizeof(struct inn_fill_ops),
	[INN_BACKEND] = sizeof(struct inn_backend_ops), [INN_FORMAT] = sizeof(struct inn_format_ops), [INN_METRIC] = sizeof(struct inn_metric_ops),
};

/* The name of a mandatory slot that is empty, or NULL. */
static const char *missing_slot(const struct inn_class *c)
{
	const void *v = c;

	switch (c->kind) {
	case INN_LAYER: return ((const struct inn_layer_ops *)v)->forward ? NULL : "forward";
	case INN_RULE: return ((const struct inn_rule_ops *)v)->back ? NULL : "back";
	case INN_ANALYZER: return ((const struct inn_analyzer_ops *)v)->build ? NULL : "build";
	case INN_PASS: return ((const struct inn_pass_ops *)v)->apply ? NULL : "apply";
	case INN_STAGE: return ((const struct inn_stage_ops *)v)->build || ((const struct inn_stage_ops *)v)->apply ? NULL : "build or apply";
	case INN_FILL: return ((const struct inn_fill_ops *)v)->build ? NULL : "build";
	case INN_METRIC: return ((const struct inn_metric_ops *)v)->build ? NULL : "build";
	case INN_FORMAT: return ((const struct inn_format_ops *)v)->suffixes ? NULL : "suffixes";
	case INN_BACKEND: {
		const struct inn_backend_ops *b = v;

		return b->score && b->open && b->close && b->compile && b->release && b->write && b->run && b->read && b->describe ? NULL :
		       "score, open, close, compile, release, write, run, read or describe";
	}
	default: return "kind";
	}
}

static int check_row(inn_ctx *ctx, const struct inn_loc *file, const struct inn_class *c, const struct inn_param *r)
{
	static const size_t field[] = {
		[INN_P_BOOL] = sizeof(bool), [INN_P_INT] = sizeof(int64_t), [INN_P_REAL] = sizeof(double), [INN_P_STR] = sizeof(char *),
		[INN_P_PATH] = sizeof(char *), [INN_P_ENUM] = sizeof(int), [INN_P_INTS] = sizeof(struct inn_ints),
		[INN_P_REALS] = sizeof(struct inn_reals), [INN_P_STRS] = sizeof(struct inn_strs), [INN_P_CLASS] = sizeof(struct inn_inst),
		[INN_P_CLASSES] = sizeof(struct inn_insts), [INN_P_RULES] = sizeof(struct inn_rules *), [INN_P_SOURCE] = sizeof(struct inn_source),
	};
	bool number = r->type == INN_P_INT || r->type == INN_P_REAL;

	if (!r->help)
		return inn_fail(ctx, INN_EPLUGIN, file, "%s.%s has no help", c->name, r->name);
	if (r->type < INN_P_BOOL || r->type > INN_P_SOURCE)
		return inn_fail(ctx, INN_EPLUGIN, file, "%s.%s has an unknown type", c->name, r->name);
	if (number && !(r->flags & INN_NULLABLE) && r->min < r->max && (r->def < r->min || r->def > r->max))
		return inn_fail(ctx, INN_EPLUGIN, file, "%s.%s: the default %g is outside [%g, %g]", c->name, r->name, r->def, r->min, r->max);
	if (r->type == INN_P_ENUM && (!r->choices || !r->choices->name))
		return inn_fail(ctx, INN_EPLUGIN, file, "%s.%s has no choices", c->name, r->name);
	if (r->offset > c->opts_size || field[r->type] > c->opts_size - r->offset)
		return inn_fail(ctx, INN_EPLUGIN, file, "%s.%s lies outside of the options", c->name, r->name);
	return INN_OK;
}

static int check_rows(inn_ctx *ctx, const struct inn_loc *file, const struct inn_class *c)
{
	for (size_t i = 0; c->params; i++) {
		const struct inn_param *r = (const struct inn_param *)(const void *)((const char *)c->params + i * c->param_size);
		int rc;

		if (i == MAX_ROWS || c->param_size < sizeof(*r))
			return inn_fail(ctx, INN_EPLUGIN, file, "%s: its table of parameters has no end", c->name);
		if (!r->name)
			return INN_OK;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(((const struct inn_param *)(const void *)((const char *)c->params + k * c->param_size))->name, r->name))
				return inn_fail(ctx, INN_EPLUGIN, file, "%s has two parameters %s", c->name, r->name);
		if ((rc = check_row(ctx, file, c, r)) < 0)
			return rc;
	}
	return INN_OK;
}

int inn__register(inn_ctx *ctx, const struct inn_loc *file, const struct inn_class *given, const struct inn_class **out)
{
	struct inn_class *c;
	const char *slot;

	if (given->kind == 0 || given->kind >= INN_KINDS || given->size < sizeof(*given) || !given->name || !given->brief)
		return inn_fail(ctx, INN_EPLUGIN, file, "a class without kind, name or brief");
	if (!(c = inn_alloc(ctx, 1, sizes[given->kind])))
		return INN_ENOMEM;
	memcpy(c, given, given->size < sizes[given->kind] ? given->size : sizes[given->kind]);
	if ((slot = missing_slot(c)))
		return inn_fail(ctx, INN_EPLUGIN, file, "%s: the function %s is missing", c->name, slot);
	*out = c;
	return check_rows(ctx, file, c);
}
