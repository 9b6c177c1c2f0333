/* PatternNet and PatternAttribution (Kindermans et al. 2018): what the two share. */
#ifndef PATTERN_H
#define PATTERN_H
#include <innvestigate/plugin.h>

enum { ANY, LINEAR, RELU, RELU_NEGATIVE, TYPES };

struct opts {
	int pattern_type;
	const char *patterns;
	bool reverse_project_bottleneck_layers;
};

static const struct inn_choice pattern_types[] = {
	{ "any", ANY, "relu when it is fitted; else what the state holds" },
	{ "linear", LINEAR, "over all samples and positions" },
	{ "relu", RELU, "over those where the next activation is above 0" },
	{ "relu.positive", RELU, "the same as relu" },
	{ "relu.negative", RELU_NEGATIVE, "over those where the next activation is not above 0" },
	{ 0 },
};

static const struct inn_param params[] = {
	INN_ENUM(struct opts, pattern_type, ANY, pattern_types, "which samples count"),
	INN_PATH(struct opts, patterns, NULL, "patterns as iNNvestigate keeps them (.npz), instead of a state"),
	INN_BOOL(struct opts, reverse_project_bottleneck_layers, true, "scale the map of every sample to a largest magnitude of 1"),
	{ 0 },
};

#define PATTERN_NAME 64
/* "layer_3.WHAT", or with parts above 1 "layer_3.WHAT.PART". */
const char *pattern_name(char buf[PATTERN_NAME], const inn_node *n, const char *what, uint32_t part, uint32_t parts);
const char *pattern_type_name(int type);
/* Large kernels are kept in parts over their output channels, so that what fitting needs beside the sums stays small. */
uint32_t pattern_parts(const struct inn_shape *kernel, int axis);
void pattern_range(const struct inn_shape *kernel, int axis, uint32_t part, uint32_t parts, uint32_t *from, uint32_t *to);

/* The three slots of both analyzers. `attribution`: patterns times weights. */
int pattern_accepts(inn_ctx *ctx, const inn_graph *g, const void *opts);
void pattern_fit(inn_build *b, const struct inn_query *q, const void *opts);
void pattern_finish(inn_build *b, const void *opts);
void pattern_build(inn_build *b, const struct inn_query *q, const struct opts *o, bool attribution, inn_val *r);
/* keras.c: the layer's pattern from a file of iNNvestigate's, in the shape of the kernel. */
inn_val pattern_of_file(inn_build *b, const inn_node *n, const char *path, const struct inn_shape *kernel);

#endif
