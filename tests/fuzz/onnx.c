/* Any bytes as a model: read, resolved, changed by the default passes, its forward pass and gradient recorded and closed. */
#include "../../core/net/net.h"
#include "house.h"
#include <stdlib.h>

static const char *const passes[] = { "drop_identity", "strip_softmax", "fold_batch_norm", "fold_batch_norm_right", "cancel_transposes", "dense" };
#define N_PASSES (sizeof(passes) / sizeof(*passes))
#define MAX_INPUTS 16

static const struct inn_format_ops *onnx;
static struct inn_inst pass[N_PASSES];

static inn_ctx *forever; /* what the passes are bound in */

static void prepare(void)
{
	forever = house_ctx();
	if (!(onnx = house_format("onnx")))
		exit(77);
	for (size_t i = 0; i < N_PASSES; i++)
		if (inn__bind_name(forever, house_finder(), INN_PASS, passes[i], &pass[i]) < 0)
			abort();
}

static int settle(inn_ctx *ctx, inn_graph *g)
{
	int status = inn__graph_resolve(g, 0);

	for (size_t i = 0; status == INN_OK && i < N_PASSES; i++) {
		status = ((const struct inn_pass_ops *)(const void *)pass[i].cls)->apply(ctx, g, pass[i].opts);
		if (status == INN_OK)
			status = inn__graph_resolve(g, 0);
	}
	return status;
}

static void record(inn_ctx *ctx, inn_graph *g)
{
	inn_build *b = inn__build_new(ctx, inn_graph_batch(g));
	inn_val x[MAX_INPUTS] = { { 0 } };

	if (!b || inn__net_attach(b, g) < 0 || inn__graph_inputs(g) > MAX_INPUTS) {
		inn__build_free(b);
		return;
	}
	for (uint32_t i = 0; i < inn__graph_inputs(g); i++)
		x[i] = inn__input(b, inn__graph_input(g, i)->name, &inn__graph_input(g, i)->shape, 0, 0);
	inn_val y = inn_forward(b, x);

	inn__output(b, "y", y);
	if (inn__graph_inputs(g))
		inn__output(b, "gradient", inn_grad(b, y, x[0], y, NULL, 0));
	if (y.id)
		inn__plan_free(inn__close(b, false));
	inn__build_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inn_stream s = { .path = "model.onnx", .data = data, .size = size };

	if (!onnx)
		prepare();
	inn_ctx *ctx = house_ctx();
	inn_graph *g = inn__graph_new(ctx, house_finder());

	if (!g)
		abort();
	if (onnx->read_graph(ctx, &s, NULL, g) == INN_OK) {
		if (settle(ctx, g) == INN_OK)
			record(ctx, g);
	} else if (!inn_failed(ctx))
		abort(); /* refused without a word */
	inn__graph_free(g);
	inn__ctx_free(ctx);
	return 0;
}
