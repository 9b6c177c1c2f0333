/* Any bytes as a file of format FORMAT: whatever its reader offers. */
#include "house.h"
#include <innvestigate/data.h>
#include <stdlib.h>

#define STRING(x) STRING_(x)
#define STRING_(x) #x

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct inn_format_ops *f = house_format(STRING(FORMAT));
	struct inn_stream s = { .path = "file", .data = data, .size = size };
	struct inn_tensor t = { .data = NULL };
	struct inn_named *v = NULL;
	struct inn_listed *l = NULL;
	uint32_t n = 0;
	size_t count;

	if (!f)
		exit(77); /* built without its library */
	if (!size)
		return 0; /* core refuses empty files */
	inn_ctx *ctx = house_ctx();
	int status = f->read_tensor ? f->read_tensor(ctx, &s, NULL, &t) : INN_OK;

	if (status < 0 && !inn_failed(ctx))
		abort(); /* refused without a word */
	if (f->read_tensor && status == INN_OK) {
		if (!inn_shape_count(&t.shape, &count) || !inn_dtype_size(t.dtype) || (count && !t.data))
			abort();
		for (size_t i = 0; i < count && i < 4096; i++)
			(void)inn_tensor_real(&t, i);
		inn_tensor_free(&t);
	}
	if (f->read_named && f->read_named(ctx, &s, NULL, &v, &n) < 0 && (v || n || !inn_failed(ctx)))
		abort();
	for (uint32_t i = 0; i < n; i++)
		inn_tensor_free(&v[i].t);
	if (f->read_list && f->read_list(ctx, &s, NULL, &l, &count) < 0 && !inn_failed(ctx))
		abort();
	inn__ctx_free(ctx);
	return 0;
}
