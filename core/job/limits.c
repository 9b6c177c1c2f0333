/* `limits:` of a run, and --limits: what a file that nobody trusts may cost. */
#include "job.h"
#include <stddef.h>

struct opts {
	int64_t v[INN_LIMITS];
};
#define INN_X(kind, key, most, text)                                                                                          \
	{ .name = #key, .help = text, .offset = offsetof(struct opts, v) + (kind) * sizeof(int64_t), .flags = INN_NULLABLE,       \
	  .type = INN_P_INT, .def = (double)INN_NO_INT, .min = 1, .max = 1e18 },
static const struct inn_param rows[] = { INN_LIMIT_MAP(INN_X) { 0 } };
#undef INN_X

int inn__limits_bind(inn_job *job, const struct inn__yaml *y, bool first)
{
	struct opts o;
	int status = y ? inn__bind_params(job->ctx, job->finder, "limits", rows, sizeof(*rows), y, NULL, &o) : INN_OK;

	if (!y || status < 0)
		return status;
	for (int i = 0; i < INN_LIMITS; i++)
		if (o.v[i] != INN_NO_INT && (first || !(job->limits_given >> i & 1))) {
			inn__ctx_limit(job->ctx, i, (uint64_t)o.v[i]);
			job->limits_given |= 1u << i;
		}
	return INN_OK;
}

int inn_job_limits(inn_job *job, const char *yaml)
{
	struct inn__yaml *y;
	int status = inn__yaml_text(job->ctx, "limits", yaml, &y);

	return status < 0 ? status : inn__limits_bind(job, y, true);
}
