/* Any text as a class with its parameters, as on the command line; the first byte chooses the kind, or an assignment of -s. */
#include "house.h"
#include <stdlib.h>
#include <string.h>

static const uint32_t kinds[] = { INN_ANALYZER, INN_RULE, INN_STAGE, INN_METRIC, INN_FILL, INN_PASS, INN_FORMAT };
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

static void assign(inn_ctx *ctx, const char *text)
{
	struct inn__yaml *root;

	if (inn__yaml_text(ctx, "run", "{analyzers: [gradient, {type: lrp.epsilon, epsilon: 1}], input: {path: x}, batch: 1}", &root) < 0)
		abort();
	if (inn__yaml_set(ctx, root, text) < 0 && !inn_failed(ctx))
		abort();
}

static void bind(inn_ctx *ctx, uint32_t kind, const char *text)
{
	struct inn__yaml *y;
	struct inn_inst inst = { 0 };

	if (inn__yaml_text(ctx, "-a", text, &y) < 0) {
		if (!inn_failed(ctx))
			abort();
		return;
	}
	if (inn__bind_class(ctx, house_finder(), kind, y, &inst) == INN_OK) {
		if (!inst.cls || !inn__print_inst(ctx, &inst))
			abort();
	} else if (!inn_failed(ctx)) {
		abort(); /* refused without a word */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? strndup((const char *)data + 1, size - 1) : NULL;

	if (!text)
		return 0;
	inn_ctx *ctx = house_ctx();

	if (data[0] % (N_KINDS + 1) == N_KINDS)
		assign(ctx, text);
	else
		bind(ctx, kinds[data[0] % (N_KINDS + 1)], text);
	inn__ctx_free(ctx);
	free(text);
	return 0;
}
