/* Any text as a target, and any as a number. */
#include "../../core/job/job.h"
#include "house.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), number[32];
	struct inn_job job = { .ctx = house_ctx() };
	struct inn_target t;
	double v, again;
	int64_t i;

	if (!text)
		abort();
	if (text[0] != '@') { /* a file's name */
		if (inn__target_parse(&job, text, &t) == INN_OK)
			(void)!inn__target_check(job.ctx, &t, 3, 10);
		else if (!inn_failed(job.ctx))
			abort();
	}
	(void)inn__parse_int(text, &i);
	if (inn__parse_real(text, &v)) /* what is printed reads back as the same number */
		if (!isfinite(v) || !inn__parse_real(inn__print_real(v, number), &again) || again != v)
			abort();
	inn__ctx_free(job.ctx);
	free(text);
	return 0;
}
