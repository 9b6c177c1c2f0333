/* A program that embeds the library: a model, an analyzer, one map. */
#include <innvestigate/innvestigate.h>
#include <stdio.h>

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
	for (uint32_t i = 0; i < inn_error_count(job); i++)
		fprintf(stderr, "%s\n", inn_error(job, i));
	if (status == INN_OK && (n != sizeof(x) / sizeof(*x) || y.shape.dim[1] != 1000))
		status = INN_EBUG;
	inn_tensor_free(&map);
	inn_tensor_free(&y);
	inn_job_free(job);
	return inn_exit_code(status);
}
