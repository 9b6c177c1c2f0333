/* A program that embeds the library: a model, an analyzer, one map. */
#include <innvestigate/innvestigate.h>
#include <stdio.h>
#include <string.h>

/* One sample gives the same twice, bit for bit, and the other one its own, after a call with both; alone or together nearly so. */
static int predict_again(inn_model *model, const struct inn_tensor *one, const struct inn_tensor *want)
{
	static float x[2][3 * 224 * 224];
	struct inn_tensor both = *one, second = *one, y[3] = { { .dtype = INN_F32 } };
	const struct inn_tensor *in[3] = { &both, one, &second };
	int status = INN_OK;

	memcpy(x[0], one->data, sizeof(x[0]));
	for (size_t i = 0; i < sizeof(x[1]) / sizeof(*x[1]); i++)
		x[1][i] = (float)(i % 13) / 13 - .5f;
	both.shape.dim[0] = 2;
	both.data = x;
	second.data = x[1];
	for (int k = 0; status == INN_OK && k < 3; k++)
		status = inn_predict(model, in[k], 1, &y[k]);
	for (size_t i = 0; status == INN_OK && i < 1000; i++) {
		const float *together = y[0].data, *first = y[1].data, *other = y[2].data, *was = want->data;
		float apart = together[i] - first[i], apart2 = together[1000 + i] - other[i];

		if (first[i] != was[i] || apart * apart > 1e-8f || apart2 * apart2 > 1e-8f)
			status = INN_EBUG;
	}
	if (status == INN_OK && !memcmp(y[1].data, y[2].data, 4000))
		status = INN_EBUG;
	for (int k = 0; k < 3; k++)
		inn_tensor_free(&y[k]);
	return status;
}

int main(void)
{
	static float x[3 * 224 * 224];
	struct inn_tensor in = { .shape = { .rank = 4, .dim = { 1, 3, 224, 224 } }, .dtype = INN_F32, .data = x }, map = { 0 }, y = { 0 };
	struct inn_target target = { .kind = INN_TARGET_MAX };
	inn_job *job = inn_job_new();
	inn_model *model;
	inn_analysis *analysis;
	size_t n = 0;
	int status;

	for (size_t i = 0; i < sizeof(x) / sizeof(*x); i++)
		x[i] = (float)(i % 17) / 17 - .5f;
	if ((status = inn_model_open(job, "models/efficientnet_lite0/efficientnet_lite0.onnx", &model)) == INN_OK &&
	    (status = inn_analyzer(job, model, "gradient", &analysis)) == INN_OK &&
	    (status = inn_analyze(analysis, &in, 1, &target, &map)) == INN_OK &&
	    (status = inn_predict(model, &in, 1, &y)) == INN_OK)
		inn_shape_count(&map.shape, &n);
	if (status == INN_OK)
		status = predict_again(model, &in, &y);
	for (uint32_t i = 0; i < inn_error_count(job); i++)
		fprintf(stderr, "%s\n", inn_error(job, i));
	if (status == INN_OK && (n != sizeof(x) / sizeof(*x) || y.shape.dim[1] != 1000))
		status = INN_EBUG;
	inn_tensor_free(&map);
	inn_tensor_free(&y);
	inn_job_free(job);
	return inn_exit_code(status);
}
